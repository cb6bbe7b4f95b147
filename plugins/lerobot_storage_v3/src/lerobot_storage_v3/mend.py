"""Metadata and files that contradict each other: the longest run of whole episodes is kept, the rest is put aside.

That is what a recorder leaves that was killed with its tables open: episodes counted in `info.json` whose rows have no
end, or whose row of meta/episodes was never written. Nothing is deleted; what does not belong goes to `ROOT/damaged/`.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import av
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from lerobot_core.errors import StorageError
from lerobot_core.types import Problem

from . import episodes_meta, layout, parquet, stats
from .episodes_meta import STATS, stat_column, video_column
from .layout import Info
from .tasks import read_tasks, write_tasks

ASIDE = "damaged"


def mend(root: Path) -> list[Problem]:
    """Make the dataset consistent; returns what was done, empty for a sound one.

    Raises:
        StorageError: `info.json` itself is missing or damaged: the names in it are nowhere else.
    """
    info = _info(root)
    if is_sound(root, info):
        return []
    return list(_mended(root, info))


def _info(root: Path) -> Info:
    try:
        return layout.read_info(root)
    except StorageError as error:
        if not (root / layout.INFO).exists() or "codebase_version" in str(error) or "LeRobotDataset" in str(error):
            raise
        fix = "copy meta/info.json from a dataset of the same robot, or fetch this one again: lr dataset pull ORG/NAME"
        raise StorageError(error.what, f"{error.why}; the feature names in it are nowhere else", fix) from error


def is_sound(root: Path, info: Info) -> bool:
    """True when totals, tables and rows agree. Looks at every table's end and no video."""
    try:
        episodes = episodes_meta.read_episodes(root)
        rows = sum(_length(path, root) for path in sorted((root / "data").glob("*/*.parquet")))
        if info.total_episodes:
            read_tasks(root)
            layout.read_json(root / layout.STATS)
    except StorageError:
        return False
    whole = _whole_prefix(episodes) == episodes.num_rows == info.total_episodes
    return whole and _frames(episodes) == info.total_frames == rows


def _length(path: Path, root: Path) -> int:
    file = parquet.open_file(path, root)
    try:
        return int(file.metadata.num_rows)
    finally:
        file.close()


def _frames(episodes: pa.Table) -> int:
    return int(episodes["dataset_to_index"][-1].as_py()) if episodes.num_rows else 0


def _whole_prefix(episodes: pa.Table) -> int:
    """How many episodes from 0 on follow each other without a gap."""
    index, start, stop = (
        parquet.column(episodes, name) for name in ("episode_index", "dataset_from_index", "dataset_to_index")
    )
    expected = np.concatenate(([0], stop[:-1]))
    good = (index == np.arange(len(index))) & (start == expected) & (stop > start)
    return len(good) if good.all() else int(np.argmin(good))


def _mended(root: Path, info: Info) -> Iterator[Problem]:
    for path in (*_tables(root, "data"), *_tables(root, layout.EPISODES)):
        reason = _damage(path, root)
        if reason:
            yield _aside(root, path, reason)
    episodes = episodes_meta.read_episodes(root, with_stats=True)
    keep, reason = _keep(root, info, episodes)
    lost = max(info.total_episodes, episodes.num_rows) - keep
    if lost:
        yield Problem(
            "warning", layout.EPISODES, f"{lost} episodes from {keep} on are not whole ({reason}); {keep} are kept"
        )
    kept = episodes.slice(0, keep)
    yield from _rewrite_tables(root, info, kept)
    yield from _unused(root, info, kept)
    yield _totals(root, info, kept)


def _tables(root: Path, folder: str) -> list[Path]:
    return sorted((root / folder).glob("*/*.parquet"))


def _damage(path: Path, root: Path) -> str:
    try:
        parquet.read(path, root)
    except StorageError as error:
        return error.why
    return ""


def _aside(root: Path, path: Path, reason: str) -> Problem:
    name = path.relative_to(root)
    place = root / ASIDE / name
    place.parent.mkdir(parents=True, exist_ok=True)
    os.replace(path, place)
    return Problem("warning", str(name), f"{name} was moved to {ASIDE}/: {reason}")


def _keep_copy(root: Path, path: Path) -> None:
    place = root / ASIDE / path.relative_to(root)
    place.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(path, place)


def _keep(root: Path, info: Info, episodes: pa.Table) -> tuple[int, str]:
    """How many episodes are whole, and what is wrong with the next one."""
    whole = _whole_prefix(episodes)
    seen: dict[str, float] = {}
    for number in range(whole):
        row = {name: episodes[name][number].as_py() for name in episodes.column_names if not name.startswith("stats/")}
        for path, wanted, have in _needs(root, info, row, seen):
            if have < wanted:
                return number, f"{path} is missing" if have < 0 else f"{path} is too short"
    return whole, "meta/episodes has no row for it"


def _needs(root: Path, info: Info, row: dict[str, Any], seen: dict[str, float]) -> Iterator[tuple[str, float, float]]:
    """Each file an episode is in, how much of it the episode needs, and how much there is (-1: no file)."""
    data = info.data_file(row["data/chunk_index"], row["data/file_index"])
    if data not in seen:
        seen[data] = _last_index(root / data, root)
    yield data, row["dataset_to_index"] - 1, seen[data]
    for key in info.video_keys:
        place = (row[video_column(key, field)] for field in ("chunk_index", "file_index"))
        video = info.video_file(key, *place)
        if video not in seen:
            seen[video] = _seconds(root / video)
        yield video, row[video_column(key, "to_timestamp")] - 0.5 / info.fps, seen[video]


def _last_index(path: Path, root: Path) -> float:
    if not path.exists():
        return -1.0
    index = parquet.column(parquet.read(path, root, lambda name: name == "index"), "index")
    return float(index[-1]) if len(index) else -1.0


def _seconds(path: Path) -> float:
    try:
        with av.open(str(path)) as container:
            stream = container.streams.video[0]
            # A header in front outlives the frames behind it: count only those that the file is long enough for.
            size, entries = path.stat().st_size, list(stream.index_entries)
            whole = sum(entry.pos + entry.size <= size for entry in entries)
            return float((stream.duration or 0) * (stream.time_base or 0)) * whole / max(1, len(entries))
    except (OSError, av.error.FFmpegError, IndexError):
        return -1.0


def _rewrite_tables(root: Path, info: Info, kept: pa.Table) -> Iterator[Problem]:
    """Cut tables that hold more than the kept episodes."""
    frames, count = _frames(kept), kept.num_rows
    for folder, column, limit in (("data", "index", frames), (layout.EPISODES, "episode_index", count)):
        for path in _tables(root, folder):
            table = parquet.read(path, root)
            fewer = table.filter(pc.less(table[column], limit))
            if 0 < fewer.num_rows < table.num_rows:
                _keep_copy(root, path)
                lengths = parquet.episode_lengths(fewer) if folder == "data" else ()
                parquet.write(path, fewer, lengths)
                gone = table.num_rows - fewer.num_rows
                yield Problem("warning", str(path.relative_to(root)), f"{path.relative_to(root)} lost {gone} rows")


def _unused(root: Path, info: Info, kept: pa.Table) -> Iterator[Problem]:
    """Put aside the files that no kept episode is in: a reader that lists the folder would take them for episodes."""
    used = set(_used(info, kept))
    files = [*_tables(root, "data"), *_tables(root, layout.EPISODES)]
    files += [path for key in info.video_keys for path in sorted((root / "videos" / key).glob("*/*.mp4"))]
    for path in files:
        if str(path.relative_to(root)) not in used:
            yield _aside(root, path, "no whole episode is in it")


def _used(info: Info, kept: pa.Table) -> Iterator[str]:
    prefixes: dict[str, Callable[[int, int], str]] = {"data/": info.data_file, "meta/episodes/": layout.episodes_file}
    for key in info.video_keys:
        prefixes[video_column(key, "")] = partial(info.video_file, key)
    for prefix, path in prefixes.items():
        columns = [f"{prefix}chunk_index", f"{prefix}file_index"]
        if set(columns) <= set(kept.column_names):
            places: Iterable[tuple[int, int]] = zip(*(kept[name].to_pylist() for name in columns), strict=True)
            yield from (path(*place) for place in dict.fromkeys(places))


def _totals(root: Path, info: Info, kept: pa.Table) -> Problem:
    total = [_stats(info, kept, number) for number in range(kept.num_rows)]
    if total and all(total):
        layout.write_json(root / layout.STATS, stats.to_json(stats.aggregate(total)))
    info.total_episodes, info.total_frames = kept.num_rows, _frames(kept)
    info.splits = {"train": f"0:{kept.num_rows}"}
    info.total_tasks = _tasks(root, info, kept)
    layout.write_info(root, info)
    return Problem(
        "warning", layout.INFO, f"the dataset has {info.total_episodes} episodes, {info.total_frames} frames"
    )


def _tasks(root: Path, info: Info, kept: pa.Table) -> int:
    """How many tasks there are; a damaged table of them is made again from the episodes that have one task each."""
    try:
        return len(read_tasks(root)) if kept.num_rows else 0
    except StorageError:
        found: dict[int, str] = {}
        for number in range(kept.num_rows):
            path = root / info.data_file(*(kept[f"data/{field}_index"][number].as_py() for field in ("chunk", "file")))
            rows = parquet.read(path, root, lambda name: name in ("episode_index", "task_index"))
            indices = rows.filter(pc.equal(rows["episode_index"], number))["task_index"].unique().to_pylist()
            found |= dict(zip(indices, kept["tasks"][number].as_py(), strict=True)) if len(indices) == 1 else {}
        write_tasks(root, [found.get(index, "") for index in range(max(found, default=-1) + 1)])
        return len(found)


def _stats(info: Info, kept: pa.Table, number: int) -> stats.Stats:
    found: stats.Stats = {}
    for key in info.features:
        columns = {name: stat_column(key, name) for name in STATS if stat_column(key, name) in kept.column_names}
        cells = {name: kept[column][number].as_py() for name, column in columns.items()}
        if cells and None not in cells.values():
            found[key] = {name: np.asarray(cell) for name, cell in cells.items()}
    return found
