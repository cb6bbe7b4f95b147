"""Which rows of a dataset are samples, in O(episodes) memory."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from lerobot_core.errors import ConfigError, ContractError
from lerobot_storage_v3.reader import LerobotReader
from numpy.typing import NDArray


class Rows:
    """Rows of some episodes, numbered from 0.

    Args:
        starts: global index of each episode's first row.
        lengths: how many of its rows, from the first on, are samples.
        kept: numbers of the rows that remain when some are left out; None: all do.
    """

    def __init__(self, starts: Sequence[int], lengths: Sequence[int], kept: NDArray[np.int64] | None = None) -> None:
        self._starts = np.asarray(starts, np.int64)
        self._ends = np.cumsum(np.asarray(lengths, np.int64))
        self._kept = kept

    def __len__(self) -> int:
        if self._kept is not None:
            return len(self._kept)
        return int(self._ends[-1]) if len(self._ends) else 0

    def index(self, number: int) -> int:
        """The global index of sample `number`."""
        if self._kept is not None:
            number = int(self._kept[number])
        episode = int(np.searchsorted(self._ends, number, side="right"))
        before = int(self._ends[episode - 1]) if episode else 0
        return int(self._starts[episode]) + number - before

    def fingerprint(self, dataset: str) -> str:
        """16 hex digits of the dataset's own and of this choice of its rows."""
        digest = hashlib.sha256(dataset.encode())
        for part in (self._starts, self._ends, self._kept):
            digest.update(b"" if part is None else part.astype("<i8").tobytes())
        return digest.hexdigest()[:16]


def rows_of(
    reader: LerobotReader, episodes: Sequence[int], drop_last: int = 0, drop_sources: Sequence[str] = ()
) -> Rows:
    """The rows of these episodes without the last `drop_last` of each, and without rows of these sources.

    Raises:
        ContractError: nothing is left, or the dataset does not say where its rows are from.
    """
    found = reader.episodes
    lengths = [max(int(found.lengths[each]) - drop_last, 0) for each in episodes]
    rows = Rows([int(found.starts[each]) for each in episodes], lengths)
    if drop_sources:
        rows = Rows([int(found.starts[each]) for each in episodes], lengths,
                    _kept(reader, episodes, lengths, drop_sources))  # fmt: skip
    if not len(rows):
        raise ContractError("no row of the dataset is left to learn from", f"episodes: {len(episodes)}",
                            "choose other episodes")  # fmt: skip
    return rows


def _kept(
    reader: LerobotReader, episodes: Sequence[int], lengths: Sequence[int], sources: Sequence[str]
) -> NDArray[np.int64]:
    if "source" not in reader.info.features:
        raise ContractError("the dataset does not say where its rows are from", "it has no column 'source'",
                            "leave --dataset.drop-sources out")  # fmt: skip
    masks = []
    for each, length in zip(episodes, lengths, strict=True):
        column = reader.column("source", each)
        assert not isinstance(column, np.ndarray), "text is kept as Arrow"
        masks.append(~np.isin(np.array(column.to_pylist()[:length], dtype=object), list(sources)))
    return np.flatnonzero(np.concatenate(masks))


def choose_episodes(reader: LerobotReader, only: Sequence[int] | None, without: Sequence[int]) -> list[int]:
    """Episode numbers in order.

    Raises:
        ConfigError: there is no such episode.
    """
    count = len(reader.episodes)
    wrong = [each for each in (*(only or ()), *without) if not 0 <= each < count]
    if wrong:
        raise ConfigError(f"there is no episode {wrong[0]}", f"the dataset has 0 to {count - 1}")
    chosen = range(count) if only is None else sorted(set(only))
    return [each for each in chosen if each not in set(without)]


def split(reader: LerobotReader, episodes: Sequence[int], share: float) -> tuple[list[int], list[int]]:
    """Episodes to learn from, and the last ceil(share) of each task's to judge by.

    Raises:
        ConfigError: none would be left to learn from.
    """
    if not share:
        return list(episodes), []
    by_task: defaultdict[tuple[str, ...], list[int]] = defaultdict(list)
    for each in episodes:
        by_task[tuple(reader.episodes.tasks(each))].append(each)
    held = {each for group in by_task.values() for each in group[len(group) - int(np.ceil(len(group) * share)) :]}
    kept = [each for each in episodes if each not in held]
    if not kept:
        raise ConfigError(f"--dataset.eval-split {share:g} leaves no episode to learn from",
                          f"there are {len(episodes)} of {len(by_task)} tasks", "a smaller share")  # fmt: skip
    return kept, sorted(held)
