"""How long calls take: the summary's figures, and the estimate that conditions guidance."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable
from typing import Any

from ..action_queue import ActionQueue
from ..contracts.inference import EngineState

KEPT = 10_000
"""Calls whose times are kept for percentiles; the maximum is over all of them."""
RECENT = 20


def percentile(values: Iterable[float], share: float) -> float:
    """Nearest rank: the smallest value that `share` (0..1) of them do not exceed; 0.0 of none."""
    ordered = sorted(values)
    return ordered[max(math.ceil(share * len(ordered)) - 1, 0)] if ordered else 0.0


class CallLog:
    """Calls that came back, errors, and latencies of one engine."""

    def __init__(self) -> None:
        self.calls = self.errors = 0
        self.slowest = 0.0
        self._seconds: deque[float] = deque(maxlen=KEPT)

    def add(self, seconds: float) -> None:
        """A call came back after `seconds`."""
        self.calls += 1
        self.slowest = max(self.slowest, seconds)
        self._seconds.append(seconds)

    def summary(self, state: EngineState, queue: ActionQueue | None) -> dict[str, Any]:
        """The summary's `engine` block; delays and dropped chunks are the queue's."""
        times = list(self._seconds)
        counted = queue.stats() if queue is not None else {"delay_steps": {"p50": 0, "max": 0}, "dropped_chunks": 0}
        return {
            "state": state,
            "calls": self.calls,
            "errors": self.errors,
            "latency_ms": {
                "p50": round(percentile(times, 0.5) * 1e3, 3),
                "p99": round(percentile(times, 0.99) * 1e3, 3),
                "max": round(self.slowest * 1e3, 3),
            },
            "delay_steps": counted["delay_steps"],
            "dropped_chunks": counted["dropped_chunks"],
        }


class DelayEstimate:
    """`Guide.delay`: how many actions will be executed before the answer arrives.

    ceil(p95 of the last 20 call times / dt). The first call after start, warm-up or reset is left out: it pays for
    caches and compilation, and one such call would make the arm skip most of a chunk. It conditions guidance and
    says when to ask; it never trims a chunk.

    Args:
        dt: seconds one action lasts.
    """

    def __init__(self, dt: float) -> None:
        self._dt = dt
        self._recent: deque[float] = deque(maxlen=RECENT)
        self._cold = True
        self.seconds: float | None = None
        """p95 of the recent calls, None before there is one that counts."""

    def add(self, seconds: float) -> None:
        """A call came back after `seconds`."""
        if not self._cold:
            self._recent.append(seconds)
            self.seconds = percentile(self._recent, 0.95)
        self._cold = False

    def restart(self) -> None:
        """The next call is a cold one again."""
        self._cold = True

    def steps(self, leftover: int, waited: float = 0.0) -> int:
        """In actions, at most the `leftover` ones there are to execute; only what was `waited` counts while unknown.

        Args:
            leftover: actions there are to execute.
            waited: seconds since the observation before the call begins.
        """
        # 1e-9: 0.15 s at 20 Hz is 3 actions, though 0.15 / 0.05 is a hair above 3 in floats.
        return min(math.ceil(((self.seconds or 0.0) + waited) / self._dt - 1e-9), leftover)
