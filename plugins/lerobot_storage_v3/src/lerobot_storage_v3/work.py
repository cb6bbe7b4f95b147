"""What the control loop leaves for the worker: a queue that says how much is waiting."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from lerobot_core.clock import FOREVER, Clock

from .ring import Window
from .rows import Image, Row
from .ticket import EpisodeTicket


@dataclass(frozen=True, slots=True)
class AddFrame:
    """A row and each camera's picture; None means the last one again."""

    row: Row
    images: Sequence[Image | None]


@dataclass(frozen=True, slots=True)
class SaveEpisode:
    """End the episode and keep it."""

    ticket: EpisodeTicket
    outcome: str


@dataclass(frozen=True, slots=True)
class DiscardEpisode:
    """End the episode and forget it."""


@dataclass(frozen=True, slots=True)
class BeginBuffer:
    """Hold what comes in memory, the newest part of it."""

    window: Window


@dataclass(frozen=True, slots=True)
class CommitBuffer:
    """What is held begins the episode."""


Job = AddFrame | SaveEpisode | DiscardEpisode | BeginBuffer | CommitBuffer


class WorkQueue:
    """Many in, one out.

    Attributes:
        rows: rows waiting.
        bytes: of pictures waiting.
    """

    def __init__(self, clock: Clock) -> None:
        self.rows = self.bytes = 0
        self._clock, self._jobs, self._lock = clock, deque[Job](), threading.Lock()
        self._filled, self._taken = threading.Event(), threading.Event()
        self._closed = False

    def put(self, job: Job) -> None:
        """Never blocks."""
        with self._lock:
            self._count(job, 1)
            self._jobs.append(job)
        self._filled.set()

    def take(self) -> Job | None:
        """The oldest job, waiting for one; None once the queue is closed and empty."""
        while True:
            self._filled.clear()
            with self._lock:
                job = self._jobs.popleft() if self._jobs else None
                if job is not None:
                    self._count(job, -1)
            if job is not None or self._closed:
                self._taken.set()
                return job
            self._clock.wait(self._filled, FOREVER)

    def _count(self, job: Job, sign: int) -> None:
        if isinstance(job, AddFrame):
            self.rows += sign
            self.bytes += sign * sum(image.nbytes for image in job.images if image is not None)

    def wait_taken(self) -> None:
        """Block until the worker takes something."""
        self._taken.clear()
        if self.rows:
            self._clock.wait(self._taken, FOREVER)

    def close(self) -> None:
        """`take` gives None when everything was taken."""
        self._closed = True
        self._filled.set()
