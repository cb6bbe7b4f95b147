"""One thread that waits for files and for times; everything in the world's process happens on it, so nothing is locked."""

from __future__ import annotations

import heapq
import itertools
import select
import time
from collections.abc import Callable


class Reactor:
    """Calls functions when a file can be read, and at given times of `time.perf_counter`."""

    def __init__(self) -> None:
        self._files: dict[int, Callable[[], None]] = {}
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._count = itertools.count()
        self._running = False

    def watch(self, fd: int, fn: Callable[[], None]) -> None:
        """Call `fn` whenever `fd` can be read."""
        self._files[fd] = fn

    def forget(self, fd: int) -> None:
        """Watch it no longer."""
        self._files.pop(fd, None)

    def at(self, t: float, fn: Callable[[], None]) -> None:
        """Call `fn` once, at `t`."""
        heapq.heappush(self._due, (t, next(self._count), fn))

    def run(self) -> None:
        """Until `stop`."""
        self._running = True
        while self._running:
            self.once()

    def once(self) -> None:
        """Wait for the next thing and do it."""
        timeout = max(0.0, self._due[0][0] - time.perf_counter()) if self._due else None
        # select, not epoll: its timeout is exact to the microsecond, and an answer is due after a few hundred.
        ready = select.select(list(self._files), [], [], timeout)[0]
        now = time.perf_counter()
        while self._due and self._due[0][0] <= now and self._running:
            heapq.heappop(self._due)[2]()
        for fd in ready:
            if fd in self._files and self._running:
                self._files[fd]()

    def stop(self) -> None:
        """End `run` after the present call."""
        self._running = False
