"""The one clock every loop waits on: real for robots, virtual for tests that must give the same answer every time."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from typing import Protocol, runtime_checkable

FOREVER = math.inf
"""A deadline that never comes, for `wait`."""


@runtime_checkable
class Clock(Protocol):
    """Seconds from an arbitrary origin. Code that a run can reach waits through this and nothing else."""

    def now(self) -> float:
        """Seconds, monotonic."""

    def sleep_until(self, t: float) -> None:
        """Return at `t`, at once when it is past."""

    def wait(self, event: threading.Event, until: float) -> bool:
        """Wait for `event`, at most until `t` (`FOREVER` for no limit); True when it is set."""

    def spawn(self, name: str, fn: Callable[[], None], rank: int) -> threading.Thread:
        """Start a daemon thread that takes part in this clock.

        To wait for its end, let `fn` set an event and `wait` for that: a bare `join` would hold up the virtual clock.
        `rank` orders participants that wake at the same time on the virtual clock: world 0, loop 1, engine 2,
        storage 3, observers 4.
        """


class RealClock:
    """`time.perf_counter`. It sleeps and never spins: on a busy machine a spin costs the loop its own time slice."""

    def now(self) -> float:
        """Seconds since an arbitrary origin, monotonic, sub-microsecond."""
        return time.perf_counter()

    def sleep_until(self, t: float) -> None:
        """Return at `t`, about 0.1 ms late on an idle Linux; at once when `t` is past."""
        left = t - time.perf_counter()
        if left > 0:
            time.sleep(left)

    def wait(self, event: threading.Event, until: float) -> bool:
        """True as soon as `event` is set, False at `until`."""
        left = until - time.perf_counter()
        # Event.wait overflows on an infinite timeout; beyond TIMEOUT_MAX (centuries) means without a limit.
        return event.wait(max(left, 0.0) if left < threading.TIMEOUT_MAX else None)

    def spawn(self, name: str, fn: Callable[[], None], rank: int) -> threading.Thread:
        """A started daemon thread called `name`; `rank` means nothing here."""
        thread = threading.Thread(target=fn, name=name, daemon=True)
        thread.start()
        return thread
