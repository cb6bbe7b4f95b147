"""The thread that encodes, writes and saves; everything that touches encoder or disk happens here."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from lerobot_core.clock import Clock
from lerobot_core.errors import StorageError

from .codecs import Codec
from .durability import storage_error
from .faults import Faults
from .ledger import Ledger
from .recording import Recording
from .ring import Window
from .save import save
from .stage import Stage
from .ticket import EpisodeTicket
from .work import AddFrame, BeginBuffer, CommitBuffer, DiscardEpisode, Job, SaveEpisode, WorkQueue


class VideoWorker:
    """One for all cameras.

    Args:
        shapes: (H, W, C) by video key, in the rows' camera order.
        publishing: held while files of the dataset are moved.
        saved: called after each saved episode.

    Attributes:
        error: why nothing more is written; the queue is still emptied.
        over: set when the thread has ended.
        full: the episode being recorded has reached the size of a file.
        written: bytes of saved episodes.
    """

    def __init__(
        self,
        ledger: Ledger,
        root: Path,
        shapes: Mapping[str, Sequence[int]],
        codec: Codec,
        clock: Clock,
        faults: Faults,
        publishing: threading.Lock,
        saved: Callable[[], None],
        log: logging.Logger,
    ) -> None:
        self.queue, self.over = WorkQueue(clock), threading.Event()
        self.error: StorageError | None = None
        self.full, self.written = False, 0
        self._ledger, self._root, self._shapes, self._codec = ledger, root, shapes, codec
        self._clock, self._faults, self._publishing, self._log = clock, faults, publishing, log
        self._saved = saved
        self._window: Window | None = None
        self._recording: Recording | None = None

    def run(self) -> None:
        """The thread's life: until the queue is closed."""
        try:
            while (job := self.queue.take()) is not None:
                self._guarded(job)
        finally:
            if self._recording is not None:
                self._recording.abandon()
            self.over.set()

    def _guarded(self, job: Job) -> None:
        ticket = job.ticket if isinstance(job, SaveEpisode) else None
        if self.error is None:
            try:
                self._carry_out(job)
            except Exception as error:  # whatever it is, the loop must learn of it and earlier episodes are safe
                self._fail(error)
        if ticket is not None:
            ticket.settle(self.error)

    def _carry_out(self, job: Job) -> None:
        match job:
            case AddFrame():
                self._add(job)
            case SaveEpisode(ticket, outcome):
                self._save(ticket, outcome)
            case DiscardEpisode() if self._recording is not None:
                self._end().discard()
            case BeginBuffer(window):
                self._window = window
                self._current().hold(window)
            case CommitBuffer():
                self._window = None
                self._current().commit()

    def _current(self) -> Recording:
        if self._recording is None:
            stage = Stage(self._root, f"episode-{self._ledger.info.total_episodes:06d}", "save", self._faults)
            fps = self._ledger.info.fps
            self._recording = Recording(stage, self._shapes, self._codec, fps, self._faults, self._window)
        return self._recording

    def _end(self) -> Recording:
        recording, self._recording, self.full = self._current(), None, False
        return recording

    def _add(self, job: AddFrame) -> None:
        recording = self._current()
        recording.add(job.row, job.images)
        self.full = recording.is_full(self._ledger.info)
        if self._faults.encode_delay:
            self._clock.sleep_until(self._clock.now() + self._faults.encode_delay * len(job.images))

    def _save(self, ticket: EpisodeTicket, outcome: str) -> None:
        recording = self._end()
        recording.end(outcome)
        recording.stage.reach("videos")
        videos = recording.close()
        self.written += sum(file.size for file in videos)
        ticket.rows = len(recording.rows)
        with self._publishing:
            save(self._ledger, recording.take(outcome), videos, ticket.settle, self._faults)
        self._saved()

    def _fail(self, error: Exception) -> None:
        self.error = storage_error(error, self._root)
        self._log.error("recording stopped: %s", self.error, exc_info=not isinstance(error, OSError))
        if self._recording is not None:
            self._recording.abandon()
            self._recording = None
