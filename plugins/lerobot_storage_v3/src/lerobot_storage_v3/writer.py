"""The storage `lerobot`: what the control loop talks to. Nothing here waits for disk or encoder unless told to."""

from __future__ import annotations

import statistics
import threading
from collections.abc import Sequence
from typing import Any

from lerobot_core.clock import FOREVER
from lerobot_core.errors import StorageError
from lerobot_core.specs import Parts
from lerobot_core.types import Features, Outcome, Step

from . import opening
from .compact import Compactor
from .config import LerobotStorageConfig
from .faults import NONE, Faults
from .layout import MIB
from .opening import Opened, Wanted
from .ring import Window
from .rows import Image, RowBuilder
from .ticket import EpisodeTicket
from .video_worker import VideoWorker
from .work import AddFrame, BeginBuffer, CommitBuffer, DiscardEpisode, SaveEpisode

# Even `mark` waits once this many rows do: an encoder that cannot keep up with repeated pictures never will.
_MOST_ROWS = 2000


class LerobotStorage:
    """Writes a LeRobotDataset v3.0; see the README for what it promises.

    Args:
        faults: failures on demand, for tests.
    """

    def __init__(self, config: LerobotStorageConfig, parts: Parts, faults: Faults = NONE) -> None:
        self._config, self._clock, self._log, self._faults = config, parts.clock, parts.log, faults
        self._opened: Opened | None = None
        self._finalized = self._reported = False
        self._rows = self._discarded = self._repeated = 0
        self._buffering = False
        self._tickets: list[EpisodeTicket] = []

    def open(
        self, observation: Features, action: Features, fps: float, robot_type: str, task: str, resume: bool
    ) -> None:
        """Create the dataset, or with `resume` repair and continue it.

        Raises:
            StorageError: it exists, is locked (naming the holder), has other features, or cannot be written.
        """
        wanted = Wanted(observation, action, opening.whole_fps(fps), robot_type)
        self._opened = opened = opening.open_dataset(self._config, wanted, resume, self._log)
        self._builder = RowBuilder(observation, action, task)
        publishing = threading.Lock()
        self._compactor = Compactor(opened.root, opened.ledger.info, self._clock, publishing, self._faults, self._log)
        self._worker = VideoWorker(
            opened.ledger,
            opened.root,
            opened.shapes,
            opened.codec,
            self._clock,
            self._faults,
            publishing,
            self._compactor.saved,
            self._log,
        )
        if self._config.compact:
            self._compactor.start()
        self._clock.spawn("storage", self._worker.run, 3)

    def add_frame(self, step: Step) -> None:
        """Append one row to the episode being recorded; arrays may be reused by the caller at once.

        Raises:
            StorageError: the row does not fit the dataset, or an earlier one could not be written.
        """
        self._check()
        row, images = self._builder.row(step), self._builder.copies(step)
        kept: Sequence[Image | None] = images
        if self._full(images):
            row.flags = sorted({*row.flags, *(f"repeat:{name}" for name in self._builder.cameras)})
            kept = [None] * len(images)
            self._repeated += 1
        self._worker.queue.put(AddFrame(row, kept))
        self._rows += 1

    def _full(self, images: Sequence[Image]) -> bool:
        """True when the pictures have to be given up; with `block` it waits for room instead."""
        queue, size = self._worker.queue, sum(image.nbytes for image in images)
        while queue.rows and queue.bytes + size > self._config.queue_mb * MIB:
            if self._config.slow_encoder == "mark" and queue.rows < _MOST_ROWS:
                return self._rows > 0  # an episode's first picture has none before it to repeat
            queue.wait_taken()
        return False

    def save_episode(self, outcome: Outcome = "none") -> EpisodeTicket:
        """Close the episode and start the next one at once.

        Raises:
            StorageError: it has no rows, or an earlier one could not be written.
        """
        self._check()
        if not self._rows or self._buffering:
            reason = "what is buffered was not committed" if self._buffering else "the episode has no rows"
            raise StorageError("there is nothing to save", reason)
        ticket = EpisodeTicket(self._clock)
        self._tickets.append(ticket)
        self._worker.queue.put(SaveEpisode(ticket, outcome))
        self._rows = 0
        return ticket

    def discard_episode(self) -> None:
        """Forget the episode being recorded, and what is buffered; buffering goes on."""
        self._check()
        self._discarded += bool(self._rows) and not self._buffering  # what is only buffered is no episode yet
        self._rows = 0
        self._worker.queue.put(DiscardEpisode())

    def buffer(self, seconds: float, max_bytes: int) -> None:
        """Keep only the last `seconds` of what is added, encoded, until `commit_buffer`.

        Raises:
            StorageError: an episode is being recorded.
        """
        self._check()
        if self._rows and not self._buffering:
            raise StorageError(
                "an episode is being recorded", "only a new one can begin with a buffer", "save it first"
            )
        self._buffering = True
        rows = max(1, round(seconds * self._open().ledger.info.fps))
        self._worker.queue.put(BeginBuffer(Window(rows, max_bytes)))

    def commit_buffer(self) -> None:
        """What is buffered becomes the beginning of the episode; recording goes on in the same stream."""
        self._check()
        self._buffering = False
        self._worker.queue.put(CommitBuffer())

    def rotate_due(self) -> bool:
        """True when the episode has reached the target file size and a continuous recorder should save it."""
        self._open()
        return self._worker.full

    def finalize(self) -> None:
        """Wait for every ticket, compact, release the lock. Idempotent.

        Raises:
            StorageError: an episode could not be written, and nobody was told yet.
        """
        if self._finalized or self._opened is None:
            return
        self._finalized = True
        if self._worker.error is None:
            self._worker.queue.put(DiscardEpisode())
        self._worker.queue.close()
        self._clock.wait(self._worker.over, FOREVER)
        if self._config.compact:
            self._compactor.finish()
        unused = self._opened.created and not self._opened.ledger.info.total_episodes
        if unused and self._worker.error is None:
            opening.forget_created(self._opened.root, self._opened.lock)
        self._opened.lock.release()
        if self._worker.error is not None and not self._reported:
            raise self._worker.error

    def push(self, dry_run: bool = False) -> str:
        """Publish; returns where. Never implied by recording."""
        from .hub import push

        root, repo_id = self._open().root, self._config.repo_id
        if not repo_id:
            raise StorageError(
                "nowhere to push to", "repo_id is not given", f"lr dataset push {root} --repo-id ORG/NAME"
            )
        return push(root, repo_id, dry_run=dry_run).repo_id

    def stats(self) -> dict[str, Any]:
        """The summary's `dataset` block: root, repo_id, codec, episodes, frames, discarded, bytes, save_ms{p50,max}."""
        opened = self._open()
        saved = [ticket for ticket in self._tickets if ticket.done]
        times = [1000 * (ticket.seconds or 0.0) for ticket in saved]
        return {
            "root": str(opened.root),
            "repo_id": self._config.repo_id,
            "codec": opened.codec.encoder,
            "episodes": len(saved),
            "frames": sum(ticket.rows for ticket in saved),
            "discarded": self._discarded,
            "bytes": self._worker.written,
            "save_ms": {
                "p50": round(statistics.median(times), 1) if times else 0.0,
                "max": round(max(times), 1) if times else 0.0,
            },
            "repeated": self._repeated,
        }

    def _open(self) -> Opened:
        if self._opened is None:
            raise StorageError("the dataset is not open", "open() comes first")
        return self._opened

    def _check(self) -> None:
        self._open()
        if self._finalized:
            raise StorageError("the dataset is closed", "finalize() was called")
        if self._worker.error is not None:
            self._reported = True
            raise self._worker.error
