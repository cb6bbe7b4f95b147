"""Compaction: the small files of single episodes become files of the format's target size, without re-encoding.

At every moment each episode can be read by way of meta/episodes: a merged file takes the place of its first part, in
which that part's episodes are where they were; then the table is replaced; then the other parts go.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from lerobot_core.clock import FOREVER, Clock
from lerobot_core.errors import StorageError
from numpy.typing import NDArray

from . import parquet, remux
from .durability import DurableFile, WriterLock, storage_error
from .episodes_meta import read_episodes, video_column
from .faults import NONE, Faults
from .layout import Info, read_info
from .merge_plan import DATA, EPISODES, Merge, Piece, merges, pieces_of, placement, touched
from .repair import repair_locked
from .stage import Stage

# While recording, this many small files are worth one merge.
_LEAST = 8

Edits = dict[str, NDArray[Any]]
"""New values of whole columns of the episodes table."""


class Compaction:
    """One set of merges, made in a stage and published together."""

    def __init__(self, root: Path, info: Info, table: pa.Table, faults: Faults = NONE) -> None:
        self._root, self._info, self._table, self._faults = root, info, table, faults
        self._stage = Stage(root, "compact-000000", "compact", faults)
        self._moves: list[tuple[str, str]] = []
        self._deletes: list[str] = []
        self._edits: Edits = {}

    def run(self, chosen: Sequence[Merge], publishing: threading.Lock) -> list[Merge]:
        """Carry out what can be; returns which merges were."""
        self._stage.create()
        try:
            done = [merge for merge in chosen if merge.kind != EPISODES and self._merge(merge)]
            tables = [merge for merge in chosen if merge.kind == EPISODES and self._alike(merge)]
            self._rewrite(done, tables)
            if self._moves:
                self._publish(publishing)
        finally:
            if not self._stage.is_pending():
                self._stage.remove()
        return done + tables

    def _alike(self, merge: Merge) -> bool:
        files = [parquet.open_file(self._root / piece.path, self._root) for piece in merge.pieces]
        schemas = [file.schema_arrow for file in files]
        for file in files:
            file.close()
        return all(schema.equals(schemas[0]) for schema in schemas)

    def _merge(self, merge: Merge) -> bool:
        self._stage.reach("copy")
        name = f"{merge.kind}.{len(self._moves)}.part"
        sources = [self._root / piece.path for piece in merge.pieces]
        made = (
            self._alike(merge) and self._rows(sources, name)
            if merge.kind == DATA
            else self._video(merge, sources, name)
        )
        if made:
            self._take_place(merge, name)
            for column, value in placement(merge).items():
                self._column(column)[merge.pieces[0].start : merge.pieces[-1].stop] = value
        return made

    def _take_place(self, merge: Merge, name: str) -> None:
        self._moves.append((name, merge.pieces[0].path))
        self._deletes += [piece.path for piece in merge.pieces[1:]]

    def _column(self, name: str) -> NDArray[Any]:
        if name not in self._edits:
            self._edits[name] = parquet.column(self._table, name).copy()
        return self._edits[name]

    def _rows(self, sources: Sequence[Path], name: str) -> bool:
        with contextlib.ExitStack() as stack:
            files = [stack.enter_context(parquet.open_file(source, self._root)) for source in sources]
            made, schema = self._stage.path(name), files[0].schema_arrow
            writer = stack.enter_context(pq.ParquetWriter(made, schema, compression="snappy", use_dictionary=True))
            for file in files:
                # Group by group: one row group stays one episode.
                for group in range(file.num_row_groups):
                    writer.write_table(file.read_row_group(group, use_threads=False))
        return True

    def _video(self, merge: Merge, sources: Sequence[Path], name: str) -> bool:
        frames = [self._frames(piece) for piece in merge.pieces]
        if len({remux.signature(source) for source in sources}) > 1:
            return False
        made = self._stage.path(name)
        try:
            copied = remux.copy(sources, made.with_suffix(".mp4"), self._info.fps)
        except ValueError:  # reordered frames: some other recorder's
            return False
        if copied != sum(frames):
            return False
        made.with_suffix(".mp4").rename(made)
        for piece, before in zip(merge.pieces, np.cumsum([0, *frames]).tolist(), strict=False):
            for field in ("from_timestamp", "to_timestamp"):
                times = self._column(video_column(merge.kind, field))
                times[piece.start : piece.stop] += before / self._info.fps
        return True

    def _frames(self, piece: Piece) -> int:
        return int(parquet.column(self._table, "length")[piece.start : piece.stop].sum())

    def _rewrite(self, done: Sequence[Merge], tables: Sequence[Merge]) -> None:
        """Stage new episodes files: the merged ones, and those that hold a changed row."""
        for merge in tables:
            for column, value in placement(merge).items():
                self._column(column)[merge.pieces[0].start : merge.pieces[-1].stop] = value
        merged = {piece for merge in tables for piece in merge.pieces}
        pieces = pieces_of(EPISODES, self._table, self._info, self._root)
        alone = [Merge(EPISODES, (piece,)) for piece in touched(pieces, done) if piece not in merged]
        for number, merge in enumerate([*tables, *alone]):
            name = f"episodes.{number}.part"
            pq.write_table(self._edited(merge.pieces), self._stage.path(name), compression="snappy")
            self._take_place(merge, name)

    def _edited(self, pieces: Sequence[Piece]) -> pa.Table:
        tables = [parquet.read(self._root / piece.path, self._root) for piece in pieces]
        table = pa.concat_tables(tables).sort_by("episode_index")
        if table["episode_index"].to_pylist() != list(range(pieces[0].start, pieces[-1].stop)):
            what = f"{pieces[0].path} in {self._root} does not hold the episodes it says"
            raise StorageError(what, "nothing was merged", f"lr dataset verify {self._root}")
        for column, values in self._edits.items():
            field = table.schema.field(column)
            fresh = pa.array(values[pieces[0].start : pieces[-1].stop], field.type)
            table = table.set_column(table.schema.get_field_index(column), field, fresh)
        return table

    def _publish(self, publishing: threading.Lock) -> None:
        names = [name for name, _ in self._moves]
        files = [DurableFile(self._stage.path(name), existing=True) for name in names]
        self._stage.commit(self._moves, self._deletes, files)
        with publishing:
            self._stage.move(self._moves)
            self._stage.delete(self._deletes)
        self._stage.flush(self._moves)
        self._stage.settle()


def compact_step(
    root: Path, info: Info, least: int = 0, publishing: threading.Lock | None = None, faults: Faults = NONE
) -> int:
    """Merge what is to be merged now; returns by how many files the dataset has shrunk.

    Args:
        least: 0 merges everything that fits, else see `merge_plan.merges`.
    """
    lock = publishing or threading.Lock()
    with lock:
        table = read_episodes(root)
    chosen = merges(root, info, table, least) if table.num_rows else []
    if not chosen:
        return 0
    done = Compaction(root, info, table, faults).run(chosen, lock)
    return sum(len(merge.pieces) - 1 for merge in done)


def compact(root: Path) -> dict[str, int]:
    """`lr dataset compact`: merge everything that fits; returns `files_before` and `files_after`.

    Raises:
        StorageError: there is no dataset, another process is writing to it, or the disk does not take it.
    """
    info = read_info(root)
    try:
        lock = WriterLock(root)
        try:
            repair_locked(root)
            fewer = compact_step(root, info)
            files = sum(1 for folder in ("data", "videos", "meta/episodes") for _ in (root / folder).rglob("file-*"))
            return {"files_before": files + fewer, "files_after": files}
        finally:
            lock.release()
    except OSError as error:
        raise storage_error(error, root) from error


class Compactor:
    """Merges in the background of a recording, on a thread of its own.

    A merge that fails is reported once and given up: the dataset is whole without it.
    """

    def __init__(
        self, root: Path, info: Info, clock: Clock, publishing: threading.Lock, faults: Faults, log: logging.Logger
    ) -> None:
        self._root, self._info, self._clock, self._log = root, info, clock, log
        self._publishing, self._faults = publishing, faults
        self._poked, self._over, self._closing = threading.Event(), threading.Event(), False
        self._saved = 0

    def start(self) -> None:
        """Start the thread."""
        self._clock.spawn("compact", self._run, 3)

    def saved(self) -> None:
        """An episode was saved; called from the worker's thread."""
        self._saved += 1
        if self._saved % _LEAST == 0:
            self._poked.set()

    def finish(self) -> None:
        """Merge the rest and end the thread."""
        self._closing = True
        self._poked.set()
        self._clock.wait(self._over, FOREVER)

    def _run(self) -> None:
        try:
            closing = False
            while not closing:
                self._clock.wait(self._poked, FOREVER)
                self._poked.clear()
                closing = self._closing
                least = 0 if closing else _LEAST
                compact_step(self._root, self._info, least, self._publishing, self._faults)
        except (OSError, StorageError) as error:
            self._log.warning("the dataset is whole, but its files were not merged: %s", error)
        finally:
            self._over.set()
