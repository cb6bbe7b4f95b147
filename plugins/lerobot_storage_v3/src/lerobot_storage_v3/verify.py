"""The lint of a dataset: does everything fit together, and does it look like something to train on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from lerobot_core.errors import StorageError
from lerobot_core.features import is_image
from lerobot_core.types import Problem

from . import episodes_meta, layout
from .findings import Findings, Watch, silent
from .lint_rows import check_rows
from .lint_video import check_videos
from .reader import LerobotReader


def verify(root: Path, decode: bool = True, watch: Watch = silent) -> list[Problem]:
    """Everything wrong or odd about a dataset.

    Args:
        decode: also look at pictures (frozen or blank cameras); without it videos are only counted and timed.
        watch: told how far it is: `watch(what, done, total)`.

    Returns:
        Errors (a reader or a training run would fail or learn from wrong data) before warnings (look at it).
    """
    found = Findings(root)
    try:
        reader = LerobotReader(root)
    except StorageError as error:
        found.failure("dataset", error)
        return found.problems
    try:
        _check_totals(reader, found)
        _check_tasks(reader, found)
        _check_stats(reader, found)
        _check_leftovers(reader, found)
        check_rows(reader, found, watch)
        check_videos(reader, found, decode, watch)
    finally:
        reader.close()
    return sorted(found.problems, key=lambda problem: problem.level)


def _check_totals(reader: LerobotReader, found: Findings) -> None:
    counted = {
        "total_episodes": len(reader.episodes),
        "total_frames": reader.episodes.frames,
        "total_tasks": len(reader.tasks),
    }
    for key, count in counted.items():
        said = getattr(reader.info, key)
        if said != count:
            found.error(layout.INFO, f"{key} is {said}, there are {count}", found.repair)
    train = f"0:{len(reader.episodes)}"
    if reader.info.splits.get("train", train) != train:
        found.warning(layout.INFO, f"split train is {reader.info.splits['train']!r}, not all episodes ({train})")
    if len(reader.episodes) == 0:
        found.warning("dataset", "it has no episodes")


def _check_tasks(reader: LerobotReader, found: Findings) -> None:
    repeated = [task for task, count in Counter(reader.tasks).items() if count > 1]
    for task in repeated:
        found.error(layout.TASKS, f"the task {task!r} is listed twice", found.repair)
    if any(not task.strip() for task in reader.tasks):
        found.warning(layout.TASKS, "a task has no text", f"lr dataset modify-tasks {reader.root} --task TEXT")


def _check_stats(reader: LerobotReader, found: Findings) -> None:
    again = f"lr dataset recompute-stats {reader.root}"
    if not (reader.root / layout.STATS).is_file():
        found.warning(layout.STATS, "the file is missing: a policy cannot be trained on it", again)
        return
    wanted = [key for key, entry in reader.info.features.items() if episodes_meta.has_stats(key, entry)]
    absent = [key for key in wanted if key not in reader.stats]
    if absent:
        found.warning(layout.STATS, f"nothing on {', '.join(absent)}", again)
    for key in wanted:
        stats = reader.stats.get(key, {})
        lacking = [stat for stat in episodes_meta.STATS if stats and stat not in stats]
        if lacking:
            found.warning(layout.STATS, f"{key} has no {', '.join(lacking)}", again)
        if any(not np.isfinite(value).all() for value in stats.values()):
            found.error(layout.STATS, f"{key} has NaN or infinite statistics", again)
        if stats and is_image(reader.info.features[key]) and stats["mean"].ndim != 3:
            found.error(layout.STATS, f"{key} has statistics of shape {stats['mean'].shape}, not (C, 1, 1)", again)


def _check_leftovers(reader: LerobotReader, found: Findings) -> None:
    if (reader.root / ".lr").is_dir():
        found.warning("dataset", "a recording was cut off, or is going on", found.repair)
    used = set(_used_files(reader))
    on_disk = {path.relative_to(reader.root).as_posix() for path in _data_and_video_files(reader.root)}
    extra = sorted(on_disk - used)
    if extra:
        # The peer reads every file below data/, named in the metadata or not.
        level = found.error if any(name.startswith("data/") for name in extra) else found.warning
        level(extra[0], f"{len(extra)} files belong to no episode", found.repair)


def _used_files(reader: LerobotReader) -> Iterable[str]:
    yield from reader.episodes.data_files
    for key in reader.info.video_keys:
        yield from reader.episodes.video_files[key]


def _data_and_video_files(root: Path) -> Iterable[Path]:
    yield from (root / "data").glob("*/*.parquet")
    yield from (root / "videos").glob("*/*/*.mp4")
