"""A storage that keeps rows in memory and, when it has a root, in one JSON lines file."""

from __future__ import annotations

import dataclasses
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import StorageError
from ..types import Features, Observation, Outcome, Step
from .config import FakeStorageConfig
from .pattern import thumbnail
from .rows import Header, RowFile, load


@dataclass(frozen=True)
class FakeTicket:
    """Done when it is handed out: there is no encoder to wait for."""

    done: bool = True
    error: Exception | None = None

    def wait(self, timeout: float | None = None) -> bool:
        """True at once."""
        return True


@dataclass
class FakeEpisode:
    """Rows as they were added, images as thumbnails."""

    steps: list[Step] = field(default_factory=list)
    outcome: Outcome = "none"


class FakeStorage:
    """Writes a row's line when the row arrives; a saved episode survives kill -9 (no fsync: it is a fake).

    Attributes:
        episodes: the saved ones, for tests.
        finalized: True after `finalize`.
    """

    def __init__(self, config: FakeStorageConfig) -> None:
        self.episodes: list[FakeEpisode] = []
        self.finalized = False
        self._config = config
        self._episode = FakeEpisode()
        self._buffer: deque[Step] = deque()
        self._window: tuple[float, int] | None = None
        self._file: RowFile | None = None
        self._opened = False
        self._rows = self._discarded = 0

    @property
    def unsaved(self) -> list[Step]:
        """Rows of the episode being recorded."""
        return self._episode.steps

    def open(
        self, observation: Features, action: Features, fps: float, robot_type: str, task: str, resume: bool
    ) -> None:
        """Create ROOT/rows.jsonl, or continue it; without a root nothing is written.

        Raises:
            StorageError: ROOT is not empty and `resume` is False, or it holds other features.
        """
        header = Header(fps, robot_type, thumbnails(observation), action)
        if self._config.root is not None:
            self._file = RowFile(Path(self._config.root), header, resume)
            self.episodes = [FakeEpisode(*found) for found in load(self._file.path)[1]] if resume else []
        self._opened = True

    def add_frame(self, step: Step) -> None:
        """Keep one row; images are copied as thumbnails.

        Raises:
            StorageError: not open, or fault `full` is due.
        """
        if not self._opened:
            raise StorageError("add_frame before open", "the fake storage keeps to the lifecycle")
        self._rows += 1
        if self._config.fault == "full" and self._rows > self._config.fault_after:
            raise StorageError("the disk is full", "fault full was asked for")
        step = dataclasses.replace(step, observation=_small(step.observation))
        if self._window is None:
            self._append(step)
        else:
            self._remember(step, *self._window)

    def save_episode(self, outcome: Outcome = "none") -> FakeTicket:
        """Close the episode; its file lines are complete already.

        Raises:
            StorageError: the episode has no rows.
        """
        if not self._episode.steps:
            raise StorageError("there is nothing to save", "the episode has no rows")
        self._episode.outcome = outcome
        self.episodes.append(self._episode)
        if self._file is not None:
            self._file.end(outcome)
        self._episode = FakeEpisode()
        return FakeTicket()

    def discard_episode(self) -> None:
        """Forget the rows since the last save, and those that are buffered."""
        self._buffer.clear()
        self._discarded += bool(self._episode.steps)
        self._episode = FakeEpisode()
        if self._file is not None:
            self._file.rewind()

    def buffer(self, seconds: float, max_bytes: int) -> None:
        """From now on keep only the last `seconds`, or fewer rows when they weigh more than `max_bytes`."""
        self._window = (seconds, max_bytes)

    def commit_buffer(self) -> None:
        """The buffered rows begin the episode, and rows are kept again."""
        self._window = None
        for step in self._buffer:
            self._append(step)
        self._buffer.clear()

    def rotate_due(self) -> bool:
        """True once the episode has `rotate_rows` rows."""
        return 0 < self._config.rotate_rows <= len(self._episode.steps)

    def finalize(self) -> None:
        """Drop an unsaved episode and close the file."""
        if not self.finalized and self._file is not None:
            self._file.close()
        self.finalized = True

    def push(self, dry_run: bool = False) -> str:
        """There is nowhere to publish to; returns where it would be."""
        return f"fake:{self._config.repo_id or self._config.root or 'memory'}"

    def stats(self) -> dict[str, Any]:
        """The summary's `dataset` block."""
        root = self._config.root
        return {
            "root": None if root is None else str(root),
            "repo_id": self._config.repo_id,
            "codec": "thumbnails",
            "episodes": len(self.episodes),
            "frames": sum(len(episode.steps) for episode in self.episodes),
            "discarded": self._discarded,
            "bytes": 0 if self._file is None else self._file.size,
            "save_ms": {"p50": 0.0, "max": 0.0},
        }

    def _append(self, step: Step) -> None:
        self._episode.steps.append(step)
        if self._file is not None:
            self._file.add(step)

    def _remember(self, step: Step, seconds: float, max_bytes: int) -> None:
        self._buffer.append(step)
        rows = max(1, max_bytes // max(1, _weight(step)))
        while self._buffer[0].t < step.t - seconds or len(self._buffer) > rows:
            self._buffer.popleft()


def thumbnails(features: Features) -> Features:
    """The features of what is kept: images shrink."""
    return {
        key: dataclasses.replace(feature, shape=thumbnail(np.zeros(feature.shape, np.uint8)).shape)
        if feature.is_image
        else feature
        for key, feature in features.items()
    }


def _small(observation: Observation) -> Observation:
    small = observation.copy()
    for key, value in observation.items():
        if isinstance(value, np.ndarray) and value.ndim == 3:
            small[key] = thumbnail(value).copy()
    return small


def _weight(step: Step) -> int:
    return sum(value.nbytes if isinstance(value, np.ndarray) else 8 for value in step.observation.values())
