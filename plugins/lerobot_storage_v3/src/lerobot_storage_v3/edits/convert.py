"""Datasets of version 2.0 and 2.1 (a file per episode, JSON lines) as version 3."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import av
import numpy as np
import pyarrow as pa
from lerobot_core.errors import StorageError
from numpy.typing import NDArray
from packaging.version import Version

from .. import episodes_meta, layout, parquet
from ..catalogue import Span
from ..compact import compact_step
from ..episodes_meta import STATS, has_stats, stat_column
from ..findings import Watch, silent
from ..frames import VideoFile, rgb
from ..layout import Info
from ..reader import TOLERANCE_S
from .assemble import Recipe, assemble
from .sources import Take
from .statistics import restate

_DATA = "data/chunk-{episode_chunk:03d}/episode_{episode_index:06d}.parquet"
_VIDEO = "videos/chunk-{episode_chunk:03d}/{video_key}/episode_{episode_index:06d}.mp4"


class V2Source:
    """A dataset of version 2.

    Raises:
        StorageError: it is none, or incomplete.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._raw = layout.read_json(root / layout.INFO)
        version = str(self._raw.get("codebase_version", ""))
        if version.lstrip("v").split(".")[0] != "2" or Version(version).minor > 1:
            raise StorageError(f"{root} is a LeRobotDataset {version}", "only v2.0 and v2.1 are converted")
        self._old = {
            path: self._raw.get(path) or default for path, default in (("data_path", _DATA), ("video_path", _VIDEO))
        }
        self.info = self._new_info()
        tasks = {int(line["task_index"]): str(line["task"]) for line in _lines(root, "tasks")}
        self.tasks: Sequence[str] = [tasks.get(index, "") for index in range(max(tasks, default=-1) + 1)]
        self._episodes = sorted(_lines(root, "episodes"), key=lambda line: int(line["episode_index"]))
        episodes = range(len(self._episodes))
        self._whose = {
            (key, self.span(number, key).file): number for key in self.info.video_keys for number in episodes
        }
        self.table = self._table()

    def _new_info(self) -> Info:
        kept = {key: self._raw[key] for key in ("fps", "features", "robot_type") if key in self._raw}
        info = layout.parse_info({"codebase_version": layout.VERSION, **kept}, str(self.root))
        for entry in info.features.values():
            entry.pop("fps", None)
        if not info.video_keys:
            info.video_path = None
        return info

    def _table(self) -> pa.Table:
        stats = {int(line["episode_index"]): line["stats"] for line in _lines(self.root, "episodes_stats", [])}
        wanted = episodes_meta.schema(self.info, outcome=False)
        columns: dict[str, list[Any]] = {
            "length": [int(line["length"]) for line in self._episodes],
            "tasks": [list(line["tasks"]) for line in self._episodes],
        }
        for key in (key for key, entry in self.info.features.items() if has_stats(key, entry)):
            each = [stats.get(int(line["episode_index"]), {}).get(key, {}) for line in self._episodes]
            columns |= {stat_column(key, stat): [_cell(found, stat) for found in each] for stat in STATS}
        return pa.table({name: pa.array(values, wanted.field(name).type) for name, values in columns.items()})

    def _path(self, episode: int, kind: str, **names: str) -> str:
        number = int(self._episodes[episode]["episode_index"])
        chunk = number // int(self._raw.get("chunks_size") or 1000)
        path = str(self._old[kind]).format(episode_chunk=chunk, episode_index=number, **names)
        layout.check_inside(path, str(self.root))
        return path

    def rows(self, episode: int) -> pa.Table:
        """The rows of an episode.

        Raises:
            StorageError: its file is missing, damaged or of another length.
        """
        path = self.root / self._path(episode, "data_path")
        table = parquet.read(path, self.root)
        length = int(self._episodes[episode]["length"])
        if table.num_rows != length:
            why = f"meta/episodes.jsonl says {length}"
            raise StorageError(
                f"{path.relative_to(self.root)} in {self.root} has {table.num_rows} rows",
                why,
                "correct meta/episodes.jsonl",
            )
        return table.replace_schema_metadata(None)

    def span(self, episode: int, key: str) -> Span:
        """Where a camera's frames of an episode are: a file of their own."""
        seconds = int(self._episodes[episode]["length"]) / self.info.fps
        return Span(self._path(episode, "video_path", video_key=key), 0.0, seconds)

    def together(self, key: str, file: str) -> list[int]:
        """The episode of a video file; nobody's when it has not as many frames as the episode has rows."""
        episode = self._whose[key, file]
        if not (self.root / file).is_file():
            raise parquet.missing(self.root / file, self.root)
        with av.open(str(self.root / file)) as video:
            frames = video.streams.video[0].frames
        return [episode] if frames == int(self._episodes[episode]["length"]) else [-1]

    def pictures(self, episode: int, key: str) -> Iterator[NDArray[np.uint8]]:
        """A camera's frames of an episode, (H, W, 3), in order."""
        video = VideoFile(self.root / self.span(episode, key).file, self.root, rgb())
        try:
            for row in range(int(self._episodes[episode]["length"])):
                yield np.asarray(video.read([row / self.info.fps], TOLERANCE_S)[0], np.uint8)
        finally:
            video.close()


def _cell(stats: Mapping[str, Any], name: str) -> Any:
    value = stats.get(name)
    if value is None:
        return None
    return [int(count) for count in np.ravel(value)] if name == "count" else value


def _lines(root: Path, name: str, default: list[Any] | None = None) -> list[Any]:
    path = root / "meta" / f"{name}.jsonl"
    if default is not None and not path.is_file():
        return default
    try:
        return [json.loads(line) for line in path.read_text("utf-8").splitlines() if line.strip()]
    except (OSError, ValueError) as error:
        raise StorageError(f"{path} cannot be read", str(error), "fetch the dataset again") from error


def convert(root: Path, target: Path, watch: Watch = silent) -> Info:
    """Version 2.0 or 2.1 at `root` as version 3 in `target`: videos are copied, never encoded again.

    Raises:
        StorageError: it is another version, incomplete, or a video is shorter than its rows.
    """
    source = V2Source(root)
    takes = [Take(source, episode) for episode in range(source.table.num_rows)]
    numbers = [
        key
        for key, entry in source.info.features.items()
        if has_stats(key, entry) and key not in source.info.image_keys
    ]
    info = assemble(target, Recipe(takes, source.info, fresh=numbers), watch)
    if any(key not in layout.read_json(target / layout.STATS) for key in info.image_keys):
        restate(target, images=False, watch=watch)
    compact_step(target, info)
    return info
