"""Where the time of a step goes; always on. On a GPU, events in its queue are timed and read once a log line."""

from __future__ import annotations

import time
from typing import Any

import torch

PARTS = ("data", "forward", "backward", "optimizer")


class StepTimer:
    """Seconds by part since the last `take`.

    Args:
        device: where the steps run.
    """

    def __init__(self, device: torch.device) -> None:
        self._cuda = device.type == "cuda"
        self._seconds = dict.fromkeys(PARTS, 0.0)
        self._pending: list[tuple[str, Any, Any]] = []
        self._last: Any = None
        self._began = time.perf_counter()
        self.start()

    def start(self) -> None:
        """From here on."""
        self._last = self._mark()

    def lap(self, part: str) -> None:
        """What passed since the last mark belongs to `part`."""
        now = self._mark()
        if not self._cuda:
            self._seconds[part] += now - self._last
        elif part == "data":
            self._seconds[part] += now[1] - self._last[1]  # the host waits; the device has nothing to do
        else:
            self._pending.append((part, self._last[0], now[0]))
        self._last = now

    def _mark(self) -> Any:
        if not self._cuda:
            return time.perf_counter()
        event = torch.cuda.Event(enable_timing=True)  # type: ignore[no-untyped-call]
        event.record()
        return event, time.perf_counter()

    def take(self) -> tuple[dict[str, float], float]:
        """Seconds by part and in all since the last time, and begin anew."""
        if self._pending:
            torch.cuda.synchronize()
        for part, begin, end in self._pending:
            self._seconds[part] += begin.elapsed_time(end) / 1000
        self._pending.clear()
        now = time.perf_counter()
        found, elapsed = self._seconds, now - self._began
        self._seconds, self._began = dict.fromkeys(PARTS, 0.0), now
        return found, elapsed
