"""What the writer knows of the dataset it appends to: totals, tasks, statistics, and where the next files go."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from . import episodes_meta, layout, parquet, stats
from .episodes_meta import OUTCOME, STATS, has_stats, stat_column, video_column
from .layout import Info, next_file
from .stats import Stats
from .tasks import read_tasks

Place = tuple[int, int]
"""Chunk and file."""


@dataclass(frozen=True)
class Places:
    """Where one episode's files go."""

    data: Place
    episodes: Place
    videos: Mapping[str, Place]


class Ledger:
    """Changes only by `record`, after an episode's files are in their places.

    Attributes:
        tasks: by task index.
        stats: of the whole dataset.
        places: for the next episode.
    """

    def __init__(self, info: Info, tasks: Sequence[str], total: Stats, places: Places, schema: pa.Schema) -> None:
        self.info, self.tasks, self.stats, self.places = info, list(tasks), total, places
        # Files of one dataset must have the same columns, so an older dataset keeps the set it began with.
        self.schema = schema

    @classmethod
    def new(cls, info: Info, outcome: bool = True) -> Ledger:
        """Of a dataset without episodes, with a column for their outcome or not."""
        start = (0, 0)
        places = Places(start, start, dict.fromkeys(info.video_keys, start))
        return cls(info, [], {}, places, episodes_meta.schema(info, outcome))

    @classmethod
    def load(cls, root: Path) -> Ledger:
        """Of a dataset on disk, consistent (repaired) already.

        Raises:
            StorageError: it cannot be read.
        """
        info = layout.read_info(root)
        if not info.total_episodes:
            return cls.new(info)
        total = stats.from_json(layout.read_json(root / layout.STATS))
        schema = _episodes_schema(root)
        return cls(info, read_tasks(root), total, _next_places(root, info), schema)

    def with_tasks(self, texts: Sequence[str]) -> list[str]:
        """The dataset's tasks with those of an episode, in order of appearance."""
        return list(dict.fromkeys([*self.tasks, *texts]))

    def after(self, length: int, tasks: Sequence[str]) -> Info:
        """`info.json` as it is once an episode of `length` rows is in."""
        info = copy.copy(self.info)
        info.total_episodes += 1
        info.total_frames += length
        info.total_tasks = len(tasks)
        info.splits = {"train": f"0:{info.total_episodes}"}
        return info

    def record(self, info: Info, tasks: Sequence[str], total: Stats) -> None:
        """An episode is in."""
        self.info, self.tasks, self.stats = info, list(tasks), total
        size, old = info.chunks_size, self.places
        videos = {key: next_file(*place, size) for key, place in old.videos.items()}
        self.places = Places(next_file(*old.data, size), next_file(*old.episodes, size), videos)

    def episode_table(self, length: int, tasks: Sequence[str], outcome: str, episode: Stats) -> pa.Table:
        """The episode's own row of meta/episodes, in a file of its own."""
        info, places = self.info, self.places
        cells: dict[str, Any] = {
            "episode_index": info.total_episodes,
            "tasks": list(dict.fromkeys(tasks)),
            "length": length,
            "data/chunk_index": places.data[0],
            "data/file_index": places.data[1],
            "dataset_from_index": info.total_frames,
            "dataset_to_index": info.total_frames + length,
            OUTCOME: outcome,
            "meta/episodes/chunk_index": places.episodes[0],
            "meta/episodes/file_index": places.episodes[1],
        }
        for key, (chunk, file) in places.videos.items():
            seconds = {"from_timestamp": 0.0, "to_timestamp": length / info.fps}
            for field, value in {"chunk_index": chunk, "file_index": file, **seconds}.items():
                cells[video_column(key, field)] = value
        for key, stat in episode.items():
            cells |= {stat_column(key, name): _cell(stat, name) for name in STATS}
        # Missing cells are columns another writer added: they stay empty in our rows.
        return pa.table([pa.array([cells.get(field.name)], field.type) for field in self.schema], schema=self.schema)

    def has_stats(self, key: str) -> bool:
        """False for text, and for columns whose statistics the peer would refuse."""
        return has_stats(key, self.info.features[key])


def _cell(stat: stats.Stat, name: str) -> Any:
    # `true` becomes 1.0: the peer's column holds doubles.
    values = stat[name]
    return values.tolist() if name == "count" else values.astype(float).tolist()


def _episodes_schema(root: Path) -> pa.Schema:
    path = episodes_meta.files(root)[-1]
    file = parquet.open_file(path, root)
    try:
        return file.schema_arrow.remove_metadata()
    finally:
        file.close()


def _next_places(root: Path, info: Info) -> Places:
    data = _after_last(root / "data", info)
    episodes = _after_last(root / layout.EPISODES, info)
    return Places(data, episodes, {key: _after_last(root / "videos" / key, info) for key in info.video_keys})


def _after_last(folder: Path, info: Info) -> Place:
    """Behind every file there is, whoever left it: nothing is ever written over."""
    found = [_place(path) for path in folder.glob("chunk-*/file-*")]
    return next_file(*max(found), info.chunks_size) if found else (0, 0)


def _place(path: Path) -> Place:
    return int(path.parent.name.removeprefix("chunk-")), int(path.stem.removeprefix("file-"))
