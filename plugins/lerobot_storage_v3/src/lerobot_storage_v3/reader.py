"""Reading a LeRobotDataset v3.0, whoever wrote it."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
from lerobot_core.errors import ContractError, StorageError, did_you_mean
from lerobot_core.features import ACTION, STATE, column_names
from lerobot_core.types import Features
from numpy.typing import NDArray

from . import depth, frames, layout, pictures
from .catalogue import Catalogue
from .columns import CACHE_BYTES, Column, Columns
from .schema import robot_features
from .tasks import read_tasks

TOLERANCE_S = 1e-4
"""How far a frame may be from where it should be."""


def open_reader(where: str | Path, revision: str | None = None) -> LerobotReader:
    """Open a folder, or `org/name`: below `$HF_LEROBOT_HOME` if it is there, else fetched into the cache.

    Raises:
        StorageError: there is no dataset, or not one we can read.
    """
    root = Path(where).expanduser()
    if root.exists() or not layout.is_repo_id(str(where)):
        return LerobotReader(root)
    local = layout.default_root(str(where), os.environ)
    if revision is None and (local / layout.INFO).is_file():
        return LerobotReader(local)
    from .hub import fetch

    return LerobotReader(fetch(str(where), revision))


class LerobotReader:
    """Random access to one dataset.

    Nothing but the metadata is read until a row is asked for. Safe to use from several threads, and in forked or
    spawned worker processes.

    Args:
        root: the folder.
        tolerance_s: how far a frame may be from its row's time.
        cache_bytes: how many decoded rows to keep.

    Raises:
        StorageError: there is no dataset, or not one we can read.
    """

    def __init__(self, root: Path, tolerance_s: float = TOLERANCE_S, cache_bytes: int = CACHE_BYTES) -> None:
        self._root, self._tolerance, self._cache_bytes = root, tolerance_s, cache_bytes
        self.info = layout.read_info(root)
        self.sidecar = layout.read_sidecar(root)
        # A dataset that was created and got no episode yet has no tasks file.
        self._tasks = read_tasks(root) if self.info.total_episodes else []
        self._episodes = Catalogue(root, self.info, self._tasks_in_rows)
        self._observation, self._action = robot_features(self.info, self.sidecar)
        self._firsts = self._episodes.first_frames()
        self._open()

    def _open(self) -> None:
        self._owner = os.getpid()
        pictured = {key for key in self.info.image_keys if key not in self.info.video_keys}
        self._columns = Columns(self._root, pictured.__contains__, self._cache_bytes)
        self._cameras = frames.Cameras(self._root, {key: self._convert(key) for key in self.info.video_keys})

    def _convert(self, key: str) -> Callable[[], frames.Convert]:
        entry = self.info.features[key]
        return partial(depth.converter, entry) if depth.is_depth(entry) else frames.rgb

    def _here(self) -> None:
        # Forked (a data loader's worker): the parent's file positions, locks and threads are not ours.
        if self._owner != os.getpid():
            self._open()

    def __getstate__(self) -> dict[str, Any]:
        return {"root": self._root, "tolerance": self._tolerance, "cache_bytes": self._cache_bytes}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(state["root"], state["tolerance"], state["cache_bytes"])  # type: ignore[misc]

    @property
    def root(self) -> Path:
        """The folder."""
        return self._root

    @property
    def fps(self) -> float:
        """Rows a second."""
        return float(self.info.fps)

    @property
    def robot_type(self) -> str:
        """`peer_name` of the robot it was recorded on; empty when unknown."""
        return self.info.robot_type or ""

    @property
    def tasks(self) -> Sequence[str]:
        """By task index."""
        return self._tasks

    @property
    def observation(self) -> Features:
        """By robot key."""
        return self._observation

    @property
    def action(self) -> Features:
        """By robot key."""
        return self._action

    @property
    def episodes(self) -> Catalogue:
        """By episode index."""
        return self._episodes

    def __len__(self) -> int:
        return self._episodes.frames

    @cached_property
    def stats(self) -> dict[str, dict[str, NDArray[np.float64]]]:
        """`stats.json`: feature -> statistic -> array; empty when the file is missing."""
        path = self._root / layout.STATS
        raw = layout.read_json(path) if path.is_file() else {}
        return {
            key: {stat: np.asarray(value, np.float64) for stat, value in found.items()} for key, found in raw.items()
        }

    @cached_property
    def fingerprint(self) -> str:
        """16 hex digits that change when features, episodes or statistics do, not when files are merged or re-encoded."""
        digest = hashlib.sha256()
        for part in (_essence(self.info), self._tasks, {key: _lists(value) for key, value in self.stats.items()}):
            digest.update(json.dumps(part, sort_keys=True).encode())
        digest.update(self._episodes.lengths.astype("<i8").tobytes())
        return digest.hexdigest()[:16]

    def actions(self, episode: int) -> tuple[tuple[str, ...], NDArray[np.float32]]:
        """Names and float32 (T, A); positions (`action[0]`) when the dataset has no names."""
        return self._vector(ACTION, episode)

    def states(self, episode: int) -> tuple[tuple[str, ...], NDArray[np.float32]]:
        """Names and float32 (T, S)."""
        return self._vector(STATE, episode)

    def _vector(self, key: str, episode: int) -> tuple[tuple[str, ...], NDArray[np.float32]]:
        length = int(self._episodes.lengths[episode])
        if key not in self.info.features:
            return (), np.zeros((length, 0), np.float32)
        rows = np.asarray(self.column(key, episode), np.float32)
        return column_names(key, self.info.features[key]), rows.reshape(length, -1)

    def column(self, key: str, episode: int) -> Column:
        """A whole column of one episode: numpy (T, …) of numbers, an Arrow array of anything else.

        Raises:
            StorageError: the data file is missing, damaged, or lacks the column.
        """
        self._here()
        file = self._episodes.data_file(episode)
        first = self._firsts[file]
        start, stop = int(self._episodes.starts[episode]), int(self._episodes.stops[episode])
        return self._columns.span(file, key, start - first, stop - first)

    def _tasks_in_rows(self, episode: int) -> tuple[str, ...]:
        return tuple(self._tasks[index] for index in np.unique(self.column("task_index", episode)))

    def frames(
        self, index: int, deltas: Mapping[str, Sequence[float]] | None = None, only: Collection[str] | None = None
    ) -> dict[str, Any]:
        """One row by global index.

        Args:
            index: global frame index.
            deltas: feature -> seconds from this row; the value is then stacked along time, rows outside the episode
                repeat its first or last one and `<key>_is_pad` (T,) bool says which.
            only: these features and no others are read, so that nobody waits for a video they have already.

        Returns:
            Every feature by its dataset key (numbers as numpy, images uint8 (H, W, C) RGB, depth float32 (H, W, 1)
            millimetres, text and language as Python values), and `task`.

        Raises:
            IndexError: no such row.
            ContractError: a delta names no feature, or is no whole number of rows.
            StorageError: a file is missing, damaged, or a video is shorter than its rows.
        """
        self._here()
        number = self._episodes.episode_of(index)
        rows = self._rows(index, number, deltas or {})
        item = self._cells(number, index, rows, only)
        item |= self._pictures(number, index, rows, only)
        start, stop = int(self._episodes.starts[number]), int(self._episodes.stops[number])
        for key, wanted in rows.items():
            item[f"{key}_is_pad"] = (wanted < start) | (wanted >= stop)
        item["task"] = self._task(number, index)
        return item

    def pictures(self, episode: int, key: str, rows: Sequence[int]) -> list[NDArray[Any]]:
        """One camera's frames at these rows of an episode; ask in order, then each is decoded once.

        Raises:
            StorageError: a file is missing, damaged, or the video is shorter than its rows.
        """
        self._here()
        if key in self.info.video_keys:
            span = self._episodes.span(episode, key)
            times = [span.start + row / self.info.fps for row in rows]
            return self._cameras.read({key: (span.file, times)}, self._tolerance)[key]
        file = self._episodes.data_file(episode)
        first = int(self._episodes.starts[episode]) - self._firsts[file]
        cells = self._columns.take(file, key, [first + row for row in rows])
        assert not isinstance(cells, np.ndarray)
        return [pictures.load(cell, self._root, f"episode {episode}, {key}") for cell in cells.to_pylist()]

    def _rows(self, index: int, number: int, deltas: Mapping[str, Sequence[float]]) -> dict[str, NDArray[np.int64]]:
        unknown = [key for key in deltas if key not in self.info.features]
        if unknown:
            hint = did_you_mean(unknown[0], list(self.info.features))
            raise ContractError(
                f"the dataset has no feature {unknown[0]!r}", f"it has {', '.join(self.info.features)}", hint
            )
        return {key: index + offsets(seconds, self.info.fps, self._tolerance, key) for key, seconds in deltas.items()}

    def _clamped(self, number: int, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        return np.clip(rows, self._episodes.starts[number], self._episodes.stops[number] - 1)

    def _cells(
        self, number: int, index: int, rows: Mapping[str, NDArray[np.int64]], only: Collection[str] | None
    ) -> dict[str, Any]:
        file = self._episodes.data_file(number)
        first = self._firsts[file]
        item: dict[str, Any] = {}
        for key, entry in self.info.columns.items():
            if only is not None and key not in only:
                continue
            wanted = self._clamped(number, rows[key]) - first if key in rows else [index - first]
            cells = self._columns.take(file, key, [int(row) for row in wanted])
            values = self._values(entry, cells, f"row {index} of {file}")
            item[key] = values if key in rows else values[0]
        return item

    def _values(self, entry: Mapping[str, Any], cells: Column, where: str) -> Any:
        if isinstance(cells, np.ndarray):
            return cells
        if entry["dtype"] == "image":
            return np.stack([pictures.load(cell, self._root, where) for cell in cells.to_pylist()])
        return cells.to_pylist()

    def _pictures(
        self, number: int, index: int, rows: Mapping[str, NDArray[np.int64]], only: Collection[str] | None
    ) -> dict[str, Any]:
        wanted: dict[str, tuple[str, list[float]]] = {}
        for key in self.info.video_keys:
            if only is not None and key not in only:
                continue
            span = self._episodes.span(number, key)
            shown = self._clamped(number, rows[key]) if key in rows else np.array([index])
            wanted[key] = (span.file, [span.start + time for time in self._times(number, shown)])
        found = self._cameras.read(wanted, self._tolerance)
        return {key: np.stack(shots) if key in rows else shots[0] for key, shots in found.items()}

    def _times(self, number: int, rows: NDArray[np.int64]) -> list[float]:
        file = self._episodes.data_file(number)
        times = self._columns.take(file, "timestamp", (rows - self._firsts[file]).tolist())
        return [_on_grid(float(time), self.info.fps) for time in np.asarray(times)]

    def _task(self, number: int, index: int) -> str:
        file = self._episodes.data_file(number)
        task = int(np.asarray(self._columns.take(file, "task_index", [index - self._firsts[file]]))[0])
        if not 0 <= task < len(self._tasks):
            raise StorageError(
                f"row {index} of {self._root} has task_index {task}",
                f"{layout.TASKS} has {len(self._tasks)} tasks",
                f"lr dataset repair {self._root}",
            )
        return self._tasks[task]

    def close(self) -> None:
        """Close cached files. Idempotent; a later read opens them again."""
        self._here()
        self._columns.close()
        self._cameras.close()


def offsets(seconds: Sequence[float], fps: int, tolerance_s: float, key: str = "") -> NDArray[np.int64]:
    """Seconds from a row as a number of rows.

    Raises:
        ContractError: one is further than `tolerance_s` from a whole number of rows.
    """
    exact = np.asarray(seconds, np.float64) * fps
    whole = np.rint(exact)
    off = np.flatnonzero(np.abs(exact - whole) / fps > tolerance_s)
    if len(off):
        raise ContractError(
            f"delta {seconds[off[0]]} s of {key!r} is no whole number of rows",
            f"a row lasts 1/{fps} s",
            f"use {whole[off[0]] / fps:.6f}",
        )
    return whole.astype(np.int64)


def _on_grid(time: float, fps: int) -> float:
    # float32 times of a long episode are off by more than the tolerance after an hour; the row number is what was meant.
    exact = round(time * fps) / fps
    return exact if abs(time - exact) <= 1e-6 + abs(exact) * 1.2e-7 else time


def _essence(info: layout.Info) -> dict[str, Any]:
    kept = ("dtype", "shape", "names")
    features = {key: {field: entry.get(field) for field in kept} for key, entry in info.features.items()}
    return {"features": features, "fps": info.fps, "robot_type": info.robot_type}


def _lists(stats: Mapping[str, NDArray[np.float64]]) -> dict[str, Any]:
    return {stat: value.tolist() for stat, value in stats.items()}
