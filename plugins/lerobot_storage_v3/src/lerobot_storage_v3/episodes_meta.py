"""`meta/episodes/`: one row an episode, saying where its rows and pictures are, and its statistics.

All files of one dataset must have the same columns, or the peer's reader refuses them: a writer that continues a
dataset without `outcome` or without some statistic leaves it out too.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pyarrow as pa
from lerobot_core.features import Entry, is_image

from . import parquet
from .layout import EPISODES, Info, read_info

STATS = ("min", "max", "mean", "std", "count", "q01", "q10", "q50", "q90", "q99")
OUTCOME = "outcome"
_HEAD = {
    "episode_index": pa.int64(),
    "tasks": pa.list_(pa.string()),
    "length": pa.int64(),
    "data/chunk_index": pa.int64(),
    "data/file_index": pa.int64(),
    "dataset_from_index": pa.int64(),
    "dataset_to_index": pa.int64(),
}
_VIDEO = {
    "chunk_index": pa.int64(),
    "file_index": pa.int64(),
    "from_timestamp": pa.float64(),
    "to_timestamp": pa.float64(),
}
_TAIL = {"meta/episodes/chunk_index": pa.int64(), "meta/episodes/file_index": pa.int64()}


def video_column(key: str, field: str) -> str:
    """`("observation.images.front", "from_timestamp")` -> its column."""
    return f"videos/{key}/{field}"


def stat_column(key: str, stat: str) -> str:
    """`("action", "mean")` -> its column."""
    return f"stats/{key}/{stat}"


def has_stats(key: str, entry: Entry) -> bool:
    """Strings and language have no statistics.

    Nor has a column like `capture_time.image_left`: the peer takes every key that contains `image` for a picture and
    refuses statistics of another shape than a picture's.
    """
    return entry["dtype"] not in ("string", "language") and ("image" not in key or is_image(entry))


def schema(info: Info, outcome: bool = True, stats: Sequence[str] = STATS) -> pa.Schema:
    """The columns of an episodes file, in the format's order; `outcome` is ours."""
    columns = dict(_HEAD)
    for key in info.video_keys:
        columns |= {video_column(key, field): kind for field, kind in _VIDEO.items()}
    for key, entry in info.features.items():
        if has_stats(key, entry):
            columns |= {stat_column(key, stat): stat_type(entry, stat) for stat in stats}
    if outcome:
        columns[OUTCOME] = pa.string()
    return pa.schema(list((columns | _TAIL).items()))


def stat_type(entry: Entry, stat: str) -> pa.DataType:
    """The cell type of one statistic: a list of doubles, (C, 1, 1) nested for pictures; `count` is a list of one int."""
    if stat == "count":
        return pa.list_(pa.int64())
    return pa.list_(pa.list_(pa.list_(pa.float64()))) if is_image(entry) else pa.list_(pa.float64())


def files(root: Path) -> list[Path]:
    """The episodes files, in order."""
    return sorted((root / EPISODES).glob("chunk-*/file-*.parquet"))


def is_index_column(name: str) -> bool:
    """True for the columns worth holding in memory for every episode: all but the statistics."""
    return not name.startswith("stats/")


def read_episodes(root: Path, with_stats: bool = False, only: Container[str] | None = None) -> pa.Table:
    """Every episode, sorted by `episode_index`; a column that only some files have is null in the others' rows.

    Args:
        with_stats: statistics too.
        only: just these columns; must hold `episode_index`.

    Raises:
        StorageError: a file is missing or damaged.
    """
    keep = only.__contains__ if only is not None else (None if with_stats else is_index_column)
    # Parsing releases the interpreter: 50,000 episodes as the peer leaves them (5,000 row groups) take half the time.
    with ThreadPoolExecutor(2) as pool:
        tables = list(pool.map(lambda path: _read(path, root, keep), files(root)))
    if not tables:
        return schema(read_info(root)).empty_table()
    table = tables[0] if len(tables) == 1 else pa.concat_tables(tables, promote_options="permissive")
    index = parquet.column(table, "episode_index")
    if (index[1:] > index[:-1]).all():
        return table
    # Twice the same episode: a merge was killed between putting the merged file in place and removing its parts.
    return table.take(np.unique(index, return_index=True)[1])


def _read(path: Path, root: Path, keep: Callable[[str], bool] | None) -> pa.Table:
    table = parquet.read(path, root, keep)
    # pandas metadata of rewritten files would stop the concatenation.
    return table.replace_schema_metadata(None)
