"""The edits: each makes its dataset in an empty folder; `edit` puts it in its place."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
from lerobot_core.errors import StorageError, UsageError, did_you_mean
from lerobot_core.features import Entry
from numpy.typing import NDArray

from .. import layout, schema
from ..catalogue import Episode
from ..compact import compact_step
from ..findings import Watch, silent
from ..layout import Info
from .assemble import Recipe, assemble
from .sources import Take, V3Source
from .swap import creating, replacing

Build = Callable[[Path], object]


def edit(root: Path, to: Path | None, build: Build) -> Path:
    """Let `build` fill a folder, and make that the dataset at `to`, or at `root`; returns which.

    Raises:
        StorageError: no dataset, somebody writes to it, `to` exists, or the disk does not take it.
    """
    with replacing(root) if to is None else creating(to) as folder:
        build(folder)
    return to or root


def keep(root: Path, target: Path, episodes: Sequence[int], watch: Watch = silent) -> Info:
    """Only these episodes: what a deletion leaves, or one part of a split."""
    source = V3Source(root)
    try:
        return assemble(target, Recipe(source.takes(episodes), source.info), watch)
    finally:
        source.reader.close()


def merge(roots: Sequence[Path], target: Path, watch: Watch = silent) -> Info:
    """All episodes of several datasets, in this order.

    Raises:
        StorageError: they differ in rate, robot, features or units.
    """
    sources = [V3Source(root) for root in roots]
    try:
        for other in sources[1:]:
            _check_alike(sources[0], other)
        info = copy.deepcopy(sources[0].info)
        for key in info.video_keys:
            info.features[key] = _shared(key, [source.info for source in sources])
        takes = [take for source in sources for take in source.takes()]
        return assemble(target, Recipe(takes, info), watch)
    finally:
        for source in sources:
            source.reader.close()


def _check_alike(first: V3Source, other: V3Source) -> None:
    lines = schema.differences(other.info.features, first.info.features)
    for name in ("fps", "robot_type"):
        here, there = getattr(other.info, name), getattr(first.info, name)
        lines += [f"{name}: {here} here, {there} there"] if here != there else []
    for side, mine, theirs in zip(("observation", "action"), _units(other), _units(first), strict=True):
        lines += [
            f"{side} {key}: {mine[key]} here, {theirs[key]} there" for key in mine if _clash(mine[key], theirs.get(key))
        ]
    if lines:
        raise StorageError(
            f"{other.root} does not fit {first.root}", "; ".join(lines), "convert or rename one of them first"
        )


def _units(source: V3Source) -> tuple[dict[str, Any], dict[str, Any]]:
    observation, action = source.reader.observation, source.reader.action
    return {key: value.unit for key, value in observation.items()}, {key: value.unit for key, value in action.items()}


def _clash(mine: object, theirs: object) -> bool:
    return None not in (mine, theirs) and mine != theirs


def _shared(key: str, infos: Sequence[Info]) -> Entry:
    """A camera's entry with null for every encoder setting that not all have alike, as the peer's merge does it."""
    entry = dict(infos[0].features[key])
    each = [info.features[key].get("info") or {} for info in infos]
    entry["info"] = {
        name: value if all(other.get(name) == value for other in each) else None for name, value in each[0].items()
    }
    return entry


def remove_features(root: Path, target: Path, keys: Sequence[str], watch: Watch = silent) -> Info:
    """Without these features, their columns, videos and statistics.

    Raises:
        UsageError: there is no such feature, or every dataset must have it.
    """
    source = V3Source(root)
    try:
        info = copy.deepcopy(source.info)
        for key in keys:
            if key in schema.BOOKKEEPING:
                raise UsageError(f"{key!r} cannot be removed", "every dataset has it")
            if key not in info.features:
                raise UsageError(f"there is no feature {key!r}", did_you_mean(key, list(info.features)))
            del info.features[key]
        return assemble(target, Recipe(source.takes(), info), watch)
    finally:
        source.reader.close()


def add_feature(root: Path, target: Path, key: str, entry: Entry, values: NDArray[Any], watch: Watch = silent) -> Info:
    """With a column more: `values` has one row a frame of the dataset.

    Raises:
        UsageError: the name is taken or not allowed, or the values do not fit.
    """
    source = V3Source(root)
    try:
        info = copy.deepcopy(source.info)
        _check_new(source, key, entry, values)
        bookkeeping = {name: info.features.pop(name) for name in schema.BOOKKEEPING}
        info.features |= {key: entry} | bookkeeping
        kind = schema.arrow_type(key, entry)

        def rows(take: Take, table: pa.Table) -> pa.Table:
            found: Episode = source.reader.episodes[take.episode]
            return table.append_column(key, pa.array(list(values[found.start : found.stop]), kind))

        return assemble(target, Recipe(source.takes(), info, rows=rows, fresh=[key]), watch)
    finally:
        source.reader.close()


def _check_new(source: V3Source, key: str, entry: Entry, values: NDArray[Any]) -> None:
    if key in source.info.features:
        raise UsageError(f"there is a feature {key!r} already", "", f"lr dataset remove-feature {source.root} {key}")
    if "/" in key or not key:
        raise UsageError(f"{key!r} is no feature name", "it must not be empty or hold a '/'")
    frames = len(source.reader)
    wanted = (frames,) if list(entry["shape"]) == [1] else (frames, *entry["shape"])
    if values.shape != wanted:
        raise UsageError(f"the values have shape {values.shape}", f"the dataset needs {wanted}: one row a frame")


def retask(root: Path, target: Path, new: Mapping[int, str], replace: Mapping[str, str], watch: Watch = silent) -> Info:
    """With other instructions: `new` by episode, else `replace` by old text.

    Raises:
        UsageError: an old text that no episode has.
    """
    source = V3Source(root)
    try:
        for text in replace:
            if text not in source.tasks:
                known = ", ".join(map(repr, source.tasks))
                raise UsageError(
                    f"there is no task {text!r}", f"there is {known}", did_you_mean(text, list(source.tasks))
                )

        def texts(take: Take, text: str) -> str:
            return new.get(take.episode) or replace.get(text, text)

        return assemble(target, Recipe(source.takes(), source.info, retask=texts), watch)
    finally:
        source.reader.close()


def images_to_video(root: Path, target: Path, codec: str, crf: int | None, gop: int, watch: Watch = silent) -> Info:
    """Pictures kept in the rows become videos.

    Raises:
        UsageError: there are none.
        StorageError: the codec does not open here.
    """
    from .recode import video_entry

    source = V3Source(root)
    try:
        keys = [key for key in source.info.image_keys if key not in source.info.video_keys]
        if not keys:
            raise UsageError(f"{root} keeps no pictures in its rows", "there is nothing to convert")
        info = copy.deepcopy(source.info)
        info.video_path = info.video_path or layout.VIDEO_PATH
        for key in keys:
            info.features[key] = video_entry(info.features[key], codec, crf, gop, info.fps)
        made = assemble(target, Recipe(source.takes(), info), watch)
        compact_step(target, made)
        return made
    finally:
        source.reader.close()
