"""Which small files become one: a choice made from the episodes table and the files' sizes alone."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from . import layout, parquet
from .episodes_meta import video_column
from .layout import MIB, Info

DATA, EPISODES = "data", "episodes"


@dataclass(frozen=True)
class Piece:
    """One file, which holds the episodes `start` .. `stop` - 1 (rows of the table) and no others.

    Attributes:
        path: below the root.
        bytes: its size.
    """

    place: tuple[int, int]
    path: str
    bytes: int
    start: int
    stop: int


@dataclass(frozen=True)
class Merge:
    """Neighbouring files of one kind (`data`, `episodes` or a video key) that become the first of them."""

    kind: str
    pieces: tuple[Piece, ...]


def pack(pieces: Sequence[Piece], target: int) -> list[tuple[Piece, ...]]:
    """Every run of neighbours that fits one file of `target` bytes, from the first file on."""
    runs: list[list[Piece]] = []
    size = 0
    for piece in pieces:
        if not runs or size + piece.bytes > target:
            runs.append([])
            size = 0
        runs[-1].append(piece)
        size += piece.bytes
    return [tuple(run) for run in runs if len(run) > 1]


def tail(pieces: Sequence[Piece], target: int, least: int) -> list[tuple[Piece, ...]]:
    """At least `least` of the newest files, if it pays to merge them while recording.

    A file joins only when those after it weigh as much together, so that each byte is copied a few times at most
    (about log2 of how often the session's first file fits into the target).
    """
    size, first = 0, len(pieces)
    for position in range(len(pieces) - 1, -1, -1):
        weight = pieces[position].bytes
        if size + weight > target or (weight > size and len(pieces) - first >= least):
            break
        size, first = size + weight, position
    run = tuple(pieces[first:])
    return [run] if len(run) >= least else []


def pieces_of(kind: str, table: pa.Table, info: Info, root: Path) -> list[Piece]:
    """The files of one kind in the order of their episodes; empty when they are not stored in order, or nobody says where."""
    names = [f"{_prefix(kind)}{name}" for name in ("chunk_index", "file_index")]
    if not set(names) <= set(table.column_names):
        return []
    chunk, file = (parquet.column(table, name) for name in names)
    edges = [0, *(np.flatnonzero((np.diff(chunk) != 0) | (np.diff(file) != 0)) + 1).tolist(), len(chunk)]
    places = [(int(chunk[edge]), int(file[edge])) for edge in edges[:-1]]
    if len(set(places)) < len(places):
        return []
    paths = [_path(kind, info, place) for place in places]
    spans = itertools.pairwise(edges)
    return [
        Piece(place, path, (root / path).stat().st_size, start, stop)
        for place, path, (start, stop) in zip(places, paths, spans, strict=True)
    ]


def _prefix(kind: str) -> str:
    return {DATA: "data/", EPISODES: "meta/episodes/"}.get(kind) or video_column(kind, "")


def _path(kind: str, info: Info, place: tuple[int, int]) -> str:
    if kind == DATA:
        return info.data_file(*place)
    return layout.episodes_file(*place) if kind == EPISODES else info.video_file(kind, *place)


def target(kind: str, info: Info) -> int:
    """Bytes a file of this kind may have; the episodes table goes by the data files' limit, as with the peer."""
    return (info.data_files_size_in_mb if kind in (DATA, EPISODES) else info.video_files_size_in_mb) * MIB


def merges(root: Path, info: Info, table: pa.Table, least: int = 0) -> list[Merge]:
    """What to merge: everything that fits, or, with `least`, the newest files once there are so many.

    Nothing when the episodes table does not say in which of its files each row is: it could not be kept up to date.
    """
    if not pieces_of(EPISODES, table, info, root):
        return []
    found = []
    for kind in (DATA, *info.video_keys, EPISODES):
        pieces, limit = pieces_of(kind, table, info, root), target(kind, info)
        runs = tail(pieces, limit, least) if least else pack(pieces, limit)
        found += [Merge(kind, run) for run in runs]
    return found


def placement(merge: Merge) -> dict[str, int]:
    """The columns that say where the merged episodes are, with their new values."""
    chunk, file = merge.pieces[0].place
    prefix = _prefix(merge.kind)
    return {f"{prefix}chunk_index": chunk, f"{prefix}file_index": file}


def touched(pieces: Iterable[Piece], changes: Sequence[Merge]) -> list[Piece]:
    """The episodes files with a row that one of the changes is about."""
    spans = [(merge.pieces[0].start, merge.pieces[-1].stop) for merge in changes]
    return [piece for piece in pieces if any(piece.start < stop and start < piece.stop for start, stop in spans)]
