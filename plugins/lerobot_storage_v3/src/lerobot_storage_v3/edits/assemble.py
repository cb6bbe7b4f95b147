"""A new dataset out of episodes of others: rows renumbered, videos linked or cut, tables rewritten."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from lerobot_core.errors import StorageError

from .. import episodes_meta, layout, parquet, schema, stats
from ..episodes_meta import OUTCOME, has_stats, stat_column, video_column
from ..findings import Watch, silent
from ..layout import MIB, Info, next_file
from ..tasks import write_tasks
from .sources import Take
from .swap import link_files
from .videos import Placed, place

_RENUMBERED = ("index", "episode_index", "task_index")
# 120 columns of statistics: about 4 kB an episode, 40 MB a file.
_EPISODES_A_FILE = 10_000
_EPISODES_A_GROUP = 1_000
_REWRITTEN = ("data/", "videos/", "images/", "damaged/", "meta/episodes", "meta/tasks", layout.INFO, layout.STATS)


@dataclass
class Recipe:
    """What a new dataset is made of.

    Attributes:
        takes: its episodes, in order.
        info: its features and settings; totals are filled in.
        rows: changes an episode's rows (columns beyond `info.features` are dropped, the rest must be there).
        retask: a row's instruction in the new dataset.
        fresh: features whose statistics must be computed.
    """

    takes: Sequence[Take]
    info: Info
    rows: Callable[[Take, pa.Table], pa.Table] = lambda take, table: table
    retask: Callable[[Take, str], str] = lambda take, text: text
    fresh: Sequence[str] = ()


@dataclass
class _Written:
    """What the row pass leaves for the tables."""

    tasks: list[str] = field(default_factory=list)
    used: list[list[str]] = field(default_factory=list)
    places: list[tuple[int, int]] = field(default_factory=list)
    stats: list[stats.Stats] = field(default_factory=list)


def assemble(target: Path, recipe: Recipe, watch: Watch = silent) -> Info:
    """Write the dataset into the empty folder `target`; returns its `info.json`.

    Raises:
        StorageError: nothing to write, a source is damaged, or its rows do not fit the features.
    """
    if not recipe.takes:
        raise StorageError("no episode would be left", "a dataset has at least one", "delete the folder instead")
    info = copy.deepcopy(recipe.info)
    written = _write_rows(target, recipe, info, watch)
    videos = {key: _write_videos(target, recipe, info, key, watch) for key in info.video_keys}
    info.total_episodes, info.total_frames = len(recipe.takes), sum(take.length for take in recipe.takes)
    info.total_tasks = len(written.tasks)
    info.splits = {"train": f"0:{info.total_episodes}"}
    table = _episodes(recipe, info, written, videos)
    write_episodes(target, table)
    layout.write_json(target / layout.STATS, stats.to_json(total_stats(table, info)))
    write_tasks(target, written.tasks)
    link_files(recipe.takes[0].source.root, target, _REWRITTEN)
    layout.write_info(target, info)
    return info


def _write_videos(target: Path, recipe: Recipe, info: Info, key: str, watch: Watch) -> list[Placed]:
    count = iter(range(1, len(recipe.takes) + 1))
    watch(key, 0, len(recipe.takes))
    return place(target, info, key, recipe.takes, lambda: watch(key, next(count), len(recipe.takes)))


def _write_rows(target: Path, recipe: Recipe, info: Info, watch: Watch) -> _Written:
    written, files, start = _Written(), _DataFiles(target, info), 0
    for number, take in enumerate(recipe.takes):
        watch("rows", number, len(recipe.takes))
        table = recipe.rows(take, take.source.rows(take.episode))
        renumbered = _renumbered(table, take, recipe, written, number, start)
        start += table.num_rows
        files.add(renumbered)
        written.places.append(files.place)
        written.stats.append(
            {key: stats.column_stat(parquet.column(renumbered, key)) for key in (*_RENUMBERED, *recipe.fresh)}
        )
    files.close()
    watch("rows", len(recipe.takes), len(recipe.takes))
    return written


def _renumbered(table: pa.Table, take: Take, recipe: Recipe, written: _Written, number: int, start: int) -> pa.Table:
    count = table.num_rows
    old = parquet.column(table, "task_index").tolist()
    texts = [recipe.retask(take, take.source.tasks[index]) for index in old]
    used = list(dict.fromkeys(texts))
    written.tasks += [text for text in used if text not in written.tasks]
    written.used.append(used)
    values = {
        "index": np.arange(start, start + count),
        "episode_index": np.full(count, number),
        "task_index": np.array([written.tasks.index(text) for text in texts]),
    }
    for key, column in values.items():
        table = table.set_column(table.column_names.index(key), key, pa.array(column, pa.int64()))
    return table


class _DataFiles:
    """The data files of a new dataset: one row group an episode, rotated at the format's size."""

    def __init__(self, target: Path, info: Info) -> None:
        self._target, self._info, self.place = target, info, (0, -1)
        self._writer: pq.ParquetWriter | None = None
        self._schema: pa.Schema | None = None
        self._bytes = 0

    def add(self, table: pa.Table) -> None:
        """One episode."""
        schema_ = self._schema = self._schema or _schema(self._info, table)
        fitted = _fitted(table, schema_)
        if self._writer is None or self._bytes + fitted.nbytes >= self._info.data_files_size_in_mb * MIB:
            self.close()
            self.place = next_file(*self.place, self._info.chunks_size)
            path = self._target / self._info.data_file(*self.place)
            path.parent.mkdir(parents=True, exist_ok=True)
            self._writer = pq.ParquetWriter(path, schema_, compression="snappy", use_dictionary=True)
        self._writer.write_table(fitted, row_group_size=max(1, fitted.num_rows))
        self._bytes += fitted.nbytes

    def close(self) -> None:
        """End the current file."""
        if self._writer is not None:
            self._writer.close()
        self._writer, self._bytes = None, 0


def _schema(info: Info, table: pa.Table) -> pa.Schema:
    language = [key for key, entry in info.features.items() if entry["dtype"] == "language"]
    return schema.arrow_schema(info.features, {key: table.schema.field(key).type for key in language})


def _fitted(table: pa.Table, wanted: pa.Schema) -> pa.Table:
    try:
        return pa.table([table[name].cast(wanted.field(name).type) for name in wanted.names], wanted)
    except (KeyError, pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise StorageError("the rows do not fit the features", str(error), "lr dataset verify says where") from error


def _episodes(recipe: Recipe, info: Info, written: _Written, videos: dict[str, list[Placed]]) -> pa.Table:
    groups = groupby(recipe.takes, key=lambda take: id(take.source))
    tables = [_taken(list(group)) for _, group in groups]
    table = tables[0] if len(tables) == 1 else pa.concat_tables(tables, promote_options="permissive")
    lengths = np.array([take.length for take in recipe.takes])
    number = np.arange(len(lengths))
    columns: dict[str, Any] = {
        "episode_index": number,
        "tasks": written.used,
        "length": lengths,
        "data/chunk_index": [chunk for chunk, _ in written.places],
        "data/file_index": [file for _, file in written.places],
        "dataset_from_index": np.cumsum(lengths) - lengths,
        "dataset_to_index": np.cumsum(lengths),
        "meta/episodes/chunk_index": number * 0,
        "meta/episodes/file_index": number // _EPISODES_A_FILE,
    }
    for key, places in videos.items():
        fields = {"chunk_index": "chunk", "file_index": "file", "from_timestamp": "start", "to_timestamp": "stop"}
        columns |= {video_column(key, name): [getattr(place, to) for place in places] for name, to in fields.items()}
    for key in written.stats[0]:
        for stat in episodes_meta.STATS:
            columns[stat_column(key, stat)] = [cell(found[key], stat) for found in written.stats]
    return ordered(table, info, columns)


def _taken(takes: Sequence[Take]) -> pa.Table:
    return takes[0].source.table.take(pa.array([take.episode for take in takes], pa.int64()))


def cell(stat: stats.Stat, name: str) -> Any:
    """One statistic as the episodes table holds it."""
    return stat[name].tolist() if name == "count" else stat[name].astype(float).tolist()


def ordered(table: pa.Table, info: Info, changed: dict[str, Any]) -> pa.Table:
    """The episodes table with some columns replaced, in the format's order, nothing of features that are gone.

    A statistic that some episodes lack is left out for all: `recompute-stats` brings it back.
    """
    wanted = episodes_meta.schema(info, outcome=OUTCOME in table.column_names)
    keys = [key for key in info.features if has_stats(key, info.features[key])]
    known = {stat_column(key, stat) for key in keys for stat in episodes_meta.STATS}
    arrays, fields = [], []
    for field_ in wanted:
        if field_.name in changed:
            column = pa.array(changed[field_.name], field_.type)
        elif field_.name not in table.column_names or (field_.name in known and table[field_.name].null_count):
            continue
        else:
            column = table[field_.name].cast(field_.type)
        arrays.append(column)
        fields.append(field_)
    return pa.table(arrays, pa.schema(fields))


def write_episodes(target: Path, table: pa.Table) -> None:
    """The episodes files, 10,000 episodes each."""
    for file, start in enumerate(range(0, table.num_rows, _EPISODES_A_FILE)):
        part = table.slice(start, _EPISODES_A_FILE)
        full, rest = divmod(part.num_rows, _EPISODES_A_GROUP)
        parquet.write(target / layout.episodes_file(0, file), part, [_EPISODES_A_GROUP] * full + [rest] * (rest > 0))


def total_stats(table: pa.Table, info: Info) -> stats.Stats:
    """The dataset's statistics from its episodes'; features without any are left out."""
    found: stats.Stats = {}
    for key in info.features:
        names = [stat for stat in episodes_meta.STATS if stat_column(key, stat) in table.column_names]
        if "mean" not in names:
            continue
        columns = {stat: parquet.column(table, stat_column(key, stat)) for stat in names}
        parts = [{stat: values[row] for stat, values in columns.items()} for row in range(table.num_rows)]
        found |= stats.aggregate([{key: part} for part in parts])
    return found
