"""Which episode, file and row a global frame index stands for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any, cast, overload

import numpy as np
import pyarrow as pa
from lerobot_core.errors import StorageError
from lerobot_core.types import Outcome
from numpy.typing import NDArray

from . import parquet
from .episodes_meta import OUTCOME, read_episodes, video_column
from .layout import Info

_NEEDED = ("episode_index", "length", "data/chunk_index", "data/file_index", "dataset_from_index", "dataset_to_index")
_SPAN = ("chunk_index", "file_index", "from_timestamp", "to_timestamp")
_OUTCOMES = ("success", "failure", "none")


@dataclass(frozen=True, slots=True)
class Span:
    """Where one camera's frames of one episode are.

    Attributes:
        file: below the root.
        start, stop: seconds in that file.
    """

    file: str
    start: float
    stop: float


@dataclass(frozen=True, slots=True)
class Episode:
    """One episode.

    Attributes:
        start, stop: its global frame indices, `stop` excluded.
        file: its data file, below the root.
    """

    index: int
    length: int
    tasks: tuple[str, ...]
    outcome: Outcome
    start: int
    stop: int
    file: str


class Catalogue(Sequence[Episode]):
    """Every episode, held as columns: 50,000 take 10 MB.

    Args:
        tasks_of: an episode's tasks by its rows, for the datasets whose table does not name them.

    Raises:
        StorageError: the episodes table is damaged, or has episodes missing.
    """

    def __init__(self, root: Path, info: Info, tasks_of: Callable[[int], tuple[str, ...]]) -> None:
        self._root, self._info, self._tasks_of = root, info, tasks_of
        spans = {key: [video_column(key, field) for field in _SPAN] for key in info.video_keys}
        table = read_episodes(root, only={*_NEEDED, *(name for names in spans.values() for name in names)})
        self._columns = {name: self._column(table, name, "") for name in _NEEDED}
        self._spans = {
            key: tuple(self._column(table, name, f"info.json says {key!r} is a video") for name in names)
            for key, names in spans.items()
        }
        self.starts: NDArray[np.int64] = self._columns["dataset_from_index"]
        self.stops: NDArray[np.int64] = self._columns["dataset_to_index"]
        self.lengths: NDArray[np.int64] = self._columns["length"]
        self._check()

    def _column(self, table: pa.Table, name: str, why: str) -> NDArray[Any]:
        if name not in table.column_names:
            fix = f"lr dataset repair {self._root}"
            raise StorageError(f"meta/episodes in {self._root} has no column {name!r}", why, fix)
        return parquet.column(table, name)

    @cached_property
    def _labels(self) -> pa.Table:
        # Text takes as long to read as all numbers together, and few ask for it.
        return read_episodes(self._root, only=("episode_index", "tasks", OUTCOME))

    def _check(self) -> None:
        index = self._columns["episode_index"]
        if not np.array_equal(index, np.arange(len(index))):
            gap = int(np.flatnonzero(index != np.arange(len(index)))[0])
            raise StorageError(
                f"{self._root}: episode {gap} is missing from meta/episodes", "", f"lr dataset repair {self._root}"
            )
        ends_meet = np.array_equal(self.starts[1:], self.stops[:-1]) and (len(index) == 0 or self.starts[0] == 0)
        if not ends_meet or not np.array_equal(self.stops - self.starts, self.lengths):
            raise StorageError(
                f"{self._root}: the episodes' frame ranges do not follow each other",
                "",
                f"lr dataset repair {self._root}",
            )

    @property
    def frames(self) -> int:
        """Rows of all episodes."""
        return int(self.stops[-1]) if len(self.stops) else 0

    def __len__(self) -> int:
        return len(self.starts)

    @overload
    def __getitem__(self, index: int) -> Episode: ...

    @overload
    def __getitem__(self, index: slice) -> list[Episode]: ...

    def __getitem__(self, index: int | slice) -> Episode | list[Episode]:
        if isinstance(index, slice):
            return [self[number] for number in range(*index.indices(len(self)))]
        number = range(len(self))[index]
        start, stop = int(self.starts[number]), int(self.stops[number])
        file = self.data_file(number)
        return Episode(number, stop - start, self.tasks(number), self._outcome(number), start, stop, file)

    def __iter__(self) -> Iterator[Episode]:
        return (self[number] for number in range(len(self)))

    def tasks(self, number: int) -> tuple[str, ...]:
        """The instructions used in an episode."""
        if "tasks" not in self._labels.column_names:
            return self._tasks_of(number)
        return tuple(self._labels["tasks"][number].as_py() or ())

    def _outcome(self, number: int) -> Outcome:
        found = self._labels[OUTCOME][number].as_py() if OUTCOME in self._labels.column_names else "none"
        return cast(Outcome, found) if found in _OUTCOMES else "none"

    def data_file(self, number: int) -> str:
        """The data file of an episode, below the root."""
        chunk, file = self._columns["data/chunk_index"][number], self._columns["data/file_index"][number]
        return self._info.data_file(int(chunk), int(file))

    def span(self, number: int, key: str) -> Span:
        """Where camera `key` of an episode is."""
        chunk, file, start, stop = (column[number] for column in self._spans[key])
        return Span(self._info.video_file(key, int(chunk), int(file)), float(start), float(stop))

    def episode_of(self, index: int) -> int:
        """The episode that holds global frame `index`.

        Raises:
            IndexError: there is no such frame.
        """
        if not 0 <= index < self.frames:
            raise IndexError(f"frame {index} of {self.frames}")
        return int(np.searchsorted(self.starts, index, side="right")) - 1

    @cached_property
    def data_files(self) -> dict[str, NDArray[np.int64]]:
        """Data file -> its episodes, files in order of first use."""
        chunks, files = self._columns["data/chunk_index"], self._columns["data/file_index"]
        return _grouped(chunks, files, self._info.data_file)

    @cached_property
    def video_files(self) -> dict[str, dict[str, NDArray[np.int64]]]:
        """Camera -> video file -> its episodes."""
        names = {key: partial(self._info.video_file, key) for key in self._spans}
        return {key: _grouped(chunks, files, names[key]) for key, (chunks, files, _, _) in self._spans.items()}

    def first_frames(self) -> dict[str, int]:
        """Data file -> the global index of its first row."""
        return {file: int(self.starts[episodes[0]]) for file, episodes in self.data_files.items()}


def _grouped(
    chunks: NDArray[np.int64], files: NDArray[np.int64], name: Callable[[int, int], str]
) -> dict[str, NDArray[np.int64]]:
    if not len(chunks):
        return {}
    pairs, members = np.unique(np.stack([chunks, files]), axis=1, return_inverse=True)
    order = np.argsort(members.ravel(), kind="stable")
    groups = np.split(order, np.cumsum(np.bincount(members.ravel(), minlength=pairs.shape[1]))[:-1])
    return {name(int(chunk), int(file)): group for (chunk, file), group in zip(pairs.T, groups, strict=True)}
