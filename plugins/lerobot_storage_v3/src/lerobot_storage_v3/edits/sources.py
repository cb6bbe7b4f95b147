"""Where the episodes of an edit come from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from .. import parquet
from ..catalogue import Span
from ..episodes_meta import read_episodes
from ..layout import Info
from ..reader import LerobotReader


class Source(Protocol):
    """A dataset that episodes are taken from."""

    @property
    def root(self) -> Path:
        """Its folder."""

    @property
    def info(self) -> Info:
        """Its features and rates."""

    @property
    def tasks(self) -> Sequence[str]:
        """By task index."""

    @property
    def table(self) -> pa.Table:
        """Its episodes, one row each, statistics included."""

    def rows(self, episode: int) -> pa.Table:
        """The rows of an episode, every column."""

    def span(self, episode: int, key: str) -> Span:
        """Where a camera's frames of an episode are."""

    def together(self, key: str, file: str) -> list[int]:
        """The episodes of a video file, in order."""

    def pictures(self, episode: int, key: str) -> Iterator[NDArray[np.uint8]]:
        """A camera's frames of an episode, (H, W, 3), in order."""


@dataclass(frozen=True)
class Take:
    """One episode of a source."""

    source: Source
    episode: int

    @property
    def length(self) -> int:
        """Rows."""
        return int(self.source.table["length"][self.episode].as_py())


class V3Source:
    """A dataset of this format.

    Raises:
        StorageError: it cannot be read.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.reader = LerobotReader(root)
        self.info, self.tasks = self.reader.info, self.reader.tasks
        self.table = read_episodes(root, with_stats=True)
        self._firsts = self.reader.episodes.first_frames()
        self._held: tuple[str, pa.Table] = ("", None)

    def rows(self, episode: int) -> pa.Table:
        """The rows of an episode; one data file is held at a time, so ask in order."""
        file = self.reader.episodes.data_file(episode)
        if self._held[0] != file:
            self._held = (file, parquet.read(self.root / file, self.root))
        start = int(self.reader.episodes.starts[episode]) - self._firsts[file]
        return self._held[1].slice(start, int(self.reader.episodes.lengths[episode]))

    def span(self, episode: int, key: str) -> Span:
        """Where a camera's frames of an episode are."""
        return self.reader.episodes.span(episode, key)

    def together(self, key: str, file: str) -> list[int]:
        """The episodes of a video file, in order."""
        return [int(episode) for episode in self.reader.episodes.video_files[key][file]]

    def pictures(self, episode: int, key: str) -> Iterator[NDArray[np.uint8]]:
        """A camera's frames of an episode, (H, W, 3), in order."""
        for row in range(int(self.reader.episodes.lengths[episode])):
            yield np.asarray(self.reader.pictures(episode, key, [row])[0], np.uint8)

    def takes(self, episodes: Sequence[int] | None = None) -> list[Take]:
        """These episodes, or all."""
        chosen = range(len(self.reader.episodes)) if episodes is None else episodes
        return [Take(self, episode) for episode in chosen]
