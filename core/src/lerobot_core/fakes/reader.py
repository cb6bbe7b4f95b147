"""Reading back what the fake storage wrote."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..errors import StorageError
from ..features import image_key
from ..types import Features, Outcome, Problem, Step
from .rows import NAME, complete_bytes, load


class FakeEpisodeInfo(NamedTuple):
    """What is known of one episode."""

    length: int
    tasks: tuple[str, ...]
    outcome: Outcome


class FakeReader:
    """The whole file in memory."""

    def __init__(self, root: Path) -> None:
        self.root = root
        header, episodes = load(root / NAME)
        self.fps, self.robot_type = header.fps, header.robot_type
        self.observation: Features = header.observation
        self.action: Features = header.action
        self.fingerprint = hashlib.sha256((root / NAME).read_bytes()).hexdigest()
        self._episodes = [steps for steps, _ in episodes]
        self.tasks = tuple(dict.fromkeys(step.task for steps in self._episodes for step in steps))
        self.episodes = [FakeEpisodeInfo(len(steps), _tasks(steps), outcome) for steps, outcome in episodes]
        self._rows = [(episode, i) for episode, steps in enumerate(self._episodes) for i in range(len(steps))]

    def actions(self, episode: int) -> tuple[tuple[str, ...], NDArray[np.float32]]:
        """Names and float32 (T, A)."""
        names = tuple(self.action)
        rows = [[step.sent[name] for name in names] for step in self._episodes[episode]]
        return names, np.array(rows, np.float32).reshape(len(rows), len(names))

    def states(self, episode: int) -> tuple[tuple[str, ...], NDArray[np.float32]]:
        """Names and float32 (T, S)."""
        names = tuple(key for key, feature in self.observation.items() if not feature.is_image)
        rows = [[step.observation[name] for name in names] for step in self._episodes[episode]]
        return names, np.array(rows, np.float32).reshape(len(rows), len(names))

    def frames(self, index: int, deltas: Mapping[str, Sequence[float]] | None = None) -> dict[str, Any]:
        """By dataset key, besides `task`, `episode_index` and `index`; with `deltas`, stacks and `<key>_is_pad`."""
        episode, i = self._rows[index]
        steps = self._episodes[episode]
        row = {**_row(steps[i]), "task": steps[i].task, "episode_index": episode, "index": index}
        for key, seconds in (deltas or {}).items():
            wanted = [i + round(second * self.fps) for second in seconds]
            last = len(steps) - 1
            row[key] = np.stack([_row(steps[min(max(w, 0), last)])[key] for w in wanted])
            row[f"{key}_is_pad"] = np.array([not 0 <= w <= last for w in wanted])
        return row

    def close(self) -> None:
        """Nothing is open."""


class FakeStorageTools:
    """What the spec's `tools` gives."""

    def reader(self, root: str | Path, revision: str | None = None) -> FakeReader:
        """Open a folder; there are no revisions and no repositories.

        Raises:
            StorageError: there is no fake dataset.
        """
        if revision is not None:
            raise StorageError("the fake storage has no revisions", f"{revision!r} was asked for")
        return FakeReader(Path(root))

    def repair(self, root: str | Path) -> list[Problem]:
        """Cut off an unfinished episode."""
        path = Path(root) / NAME
        keep, size = complete_bytes(path), path.stat().st_size
        if keep == size:
            return []
        with path.open("r+b") as file:
            file.truncate(keep)
        return [Problem("warning", str(path), f"removed {size - keep} bytes of an episode that was never saved")]


def _tasks(steps: Sequence[Step]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(step.task for step in steps))


def _row(step: Step) -> dict[str, NDArray[Any]]:
    seen = step.observation
    images = {image_key(key): value for key, value in seen.items() if isinstance(value, np.ndarray)}
    state = np.array([value for value in seen.values() if isinstance(value, float)], np.float32)
    return {"observation.state": state, "action": np.array(list(step.sent.values()), np.float32), **images}
