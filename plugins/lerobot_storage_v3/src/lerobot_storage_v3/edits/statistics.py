"""Statistics computed again from what is there."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from .. import depth, episodes_meta, layout, stats
from ..episodes_meta import STATS, has_stats, stat_column
from ..findings import Watch, silent
from ..reader import LerobotReader
from .assemble import cell, ordered, total_stats, write_episodes
from .swap import link_files


def recompute(root: Path, target: Path, images: bool, watch: Watch = silent) -> None:
    """A copy of the dataset in `target` with statistics of every number; of pictures where asked, or where there are none.

    Raises:
        StorageError: it cannot be read.
    """
    link_files(root, target)
    restate(target, images, watch)


def restate(root: Path, images: bool, watch: Watch = silent) -> None:
    """The same for a dataset nobody else has seen yet: its tables are replaced one after the other."""
    reader = LerobotReader(root)
    try:
        table = episodes_meta.read_episodes(root, with_stats=True)
        keys = [key for key in _keys(reader) if _wanted(reader, table, key, images)]
        columns = _columns(reader, keys, watch)
    finally:
        reader.close()
    for path in episodes_meta.files(root):
        path.unlink()
    table = ordered(_with_places(table), reader.info, columns)
    write_episodes(root, table)
    layout.write_json(root / layout.STATS, stats.to_json(total_stats(table, reader.info)))


def _keys(reader: LerobotReader) -> list[str]:
    # Depth statistics are in the recorded unit, which the decoded picture no longer tells.
    features = reader.info.features.items()
    return [key for key, entry in features if has_stats(key, entry) and not depth.is_depth(entry)]


def _wanted(reader: LerobotReader, table: pa.Table, key: str, images: bool) -> bool:
    return images or key not in reader.info.image_keys or stat_column(key, "mean") not in table.column_names


def _columns(reader: LerobotReader, keys: Sequence[str], watch: Watch) -> dict[str, list[Any]]:
    columns: dict[str, list[Any]] = {stat_column(key, stat): [] for key in keys for stat in STATS}
    total = len(reader.episodes)
    for episode in range(total):
        watch("statistics", episode, total)
        for key in keys:
            found = episode_stat(reader, episode, key)
            for stat in STATS:
                columns[stat_column(key, stat)].append(cell(found, stat))
    watch("statistics", total, total)
    return columns


def episode_stat(reader: LerobotReader, episode: int, key: str) -> stats.Stat:
    """One feature's statistics in one episode; of pictures from a sample of its frames."""
    if key not in reader.info.image_keys:
        return stats.column_stat(np.asarray(reader.column(key, episode)))
    gathered = stats.PictureStats()
    for row in stats.sampled(int(reader.episodes.lengths[episode])):
        gathered.add(np.asarray(reader.pictures(episode, key, [row])[0], np.uint8))
    return gathered.finish(everything=True)


def _with_places(table: pa.Table) -> pa.Table:
    """The table with the columns that say where it is itself, which some writers leave out."""
    number = np.arange(table.num_rows)
    for name, values in {"meta/episodes/chunk_index": number * 0, "meta/episodes/file_index": number // 10_000}.items():
        if name in table.column_names:
            table = table.drop_columns([name])
        table = table.append_column(name, pa.array(values, pa.int64()))
    return table
