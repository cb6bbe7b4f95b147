"""Failures on demand, for tests and drills: the writer reports every step and every byte here, and a fault may answer.

Points, in the order in which an episode meets them: `bytes` (amount = bytes about to be written), `encode` (one camera's
frame), `save.videos`, `save.data`, `save.meta`, `save.sync`, `save.manifest`, `save.move` (once a file), `save.flush`,
`save.clean`; and of a compaction `compact.copy` (once a file), `compact.sync`, `compact.manifest`, `compact.move`,
`compact.delete`, `compact.clean`.
"""

from __future__ import annotations

import errno
import os
import signal
import threading


class Faults:
    """Nothing fails.

    Attributes:
        encode_delay: seconds that every encoded frame takes longer, on the run's clock.
    """

    encode_delay = 0.0

    def reach(self, point: str, amount: int = 1) -> None:
        """Called before `point` is carried out."""


class SlowEncoder(Faults):
    """Every frame takes `delay` seconds longer."""

    def __init__(self, delay: float) -> None:
        self.encode_delay = delay


class _Countdown(Faults):
    """Strikes once the amounts reported at `point` (any point: `""`) add up to more than `after`."""

    def __init__(self, point: str, after: int) -> None:
        self.point, self.left = point, after
        self._lock = threading.Lock()

    def reach(self, point: str, amount: int = 1) -> None:
        """Count down, and strike."""
        if self.point not in ("", point):
            return
        with self._lock:
            self.left -= amount
            due = self.left < 0
        if due:
            self.strike()

    def strike(self) -> None:
        """What happens from then on, every time."""
        raise NotImplementedError


class Kill(_Countdown):
    """SIGKILL to this very process: no handler, no buffer flushed."""

    def strike(self) -> None:
        """End here."""
        os.kill(os.getpid(), signal.SIGKILL)


class Fail(_Countdown):
    """An operating system error, a full disk by default."""

    def __init__(self, point: str, after: int, code: int = errno.ENOSPC) -> None:
        super().__init__(point, after)
        self.code = code

    def strike(self) -> None:
        """Raise it."""
        raise OSError(self.code, os.strerror(self.code))


NONE = Faults()
