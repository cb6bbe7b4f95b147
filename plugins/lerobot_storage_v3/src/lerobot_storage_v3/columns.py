"""Random access to the rows of the data files: row groups are decoded once and kept while they fit."""

from __future__ import annotations

import bisect
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from lerobot_core.errors import StorageError
from numpy.typing import NDArray

from . import parquet

Column: TypeAlias = NDArray[Any] | pa.Array
"""Numbers as numpy; strings, pictures and language as Arrow, turned into Python one row at a time."""

# Rows of 30 floats: 256 MiB hold two million of them.
CACHE_BYTES = 256 * 1024 * 1024
OPEN_FILES = 32


class _DataFile:
    """One open data file and where its row groups begin."""

    def __init__(self, path: Path, root: Path) -> None:
        self.path, self._root = path, root
        self._parquet: pq.ParquetFile = parquet.open_file(path, root)
        self.names: list[str] = self._parquet.schema_arrow.names
        lengths = [self._parquet.metadata.row_group(group).num_rows for group in range(self._parquet.num_row_groups)]
        self.starts: list[int] = np.cumsum([0, *lengths]).tolist()

    def read(self, group: int, names: Sequence[str]) -> dict[str, Column]:
        try:
            table = self._parquet.read_row_group(group, columns=list(names), use_threads=False)
        except (pa.ArrowInvalid, OSError) as error:
            raise parquet.broken(self.path, self._root, error) from error
        return {name: _decoded(table.column(name).combine_chunks()) for name in table.column_names}

    def require(self, name: str) -> None:
        if name not in self.names:
            file = self.path.relative_to(self._root)
            raise StorageError(
                f"{file} in {self._root} has no column {name!r}",
                "info.json lists it as a feature",
                f"lr dataset verify {self._root}",
            )

    def close(self) -> None:
        self._parquet.close()


def _decoded(array: pa.Array) -> Column:
    kind = array.type
    while pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        kind = kind.value_type
    # A missing float reads as NaN; other columns with gaps stay as they are.
    whole = array.null_count == 0 or pa.types.is_floating(kind)
    return (
        parquet.unpack(array)
        if whole and (isinstance(array, pa.ExtensionArray) or pa.types.is_primitive(kind))
        else array
    )


class Columns:
    """The rows of a dataset, addressed by data file and row in it.

    Args:
        root: the dataset.
        heavy: columns read only when asked for by name (pictures), the others come together.
        cache_bytes: how much decoded data to keep.
    """

    def __init__(self, root: Path, heavy: Callable[[str], bool], cache_bytes: int = CACHE_BYTES) -> None:
        self._root, self._heavy, self._limit = root, heavy, cache_bytes
        self._files: OrderedDict[str, _DataFile] = OrderedDict()
        self._groups: OrderedDict[tuple[str, int, str], dict[str, Column]] = OrderedDict()
        self._held = 0
        self._lock = threading.Lock()

    def take(self, file: str, name: str, rows: Sequence[int]) -> Column:
        """Column `name` at `rows` of `file`.

        Raises:
            StorageError: the file is missing, damaged, shorter than the metadata says, or has no such column.
        """
        with self._lock:
            data = self._file(file)
            first = self._group_of(data, min(rows))
            start, stop = data.starts[first], data.starts[first + 1]
            if max(rows) < stop:
                return _pick(self._column(data, file, first, name), [row - start for row in rows])
            return _join([self._one(data, file, name, row) for row in rows])

    def span(self, file: str, name: str, start: int, stop: int) -> Column:
        """Column `name` of `file`, rows `start` to `stop`."""
        with self._lock:
            data = self._file(file)
            groups = range(self._group_of(data, start), self._group_of(data, stop - 1) + 1)
            joined = _join([self._column(data, file, group, name) for group in groups])
            first = data.starts[groups[0]]
            return joined[start - first : stop - first]

    def names(self, file: str) -> list[str]:
        """The columns `file` has."""
        with self._lock:
            return self._file(file).names

    def rows(self, file: str) -> int:
        """How many rows `file` has."""
        with self._lock:
            return self._file(file).starts[-1]

    def _one(self, data: _DataFile, file: str, name: str, row: int) -> Column:
        group = self._group_of(data, row)
        return _pick(self._column(data, file, group, name), [row - data.starts[group]])

    def _group_of(self, data: _DataFile, row: int) -> int:
        if not 0 <= row < data.starts[-1]:
            why = f"row {row} was asked for, the file has {data.starts[-1]}"
            raise parquet.broken(data.path, self._root, ValueError(why))
        return bisect.bisect_right(data.starts, row) - 1

    def _column(self, data: _DataFile, file: str, group: int, name: str) -> Column:
        bundle = name if self._heavy(name) else ""
        held = self._groups.get((file, group, bundle))
        if held is None:
            data.require(name)
            wanted = [name] if bundle else [column for column in data.names if not self._heavy(column)]
            held = self._groups[file, group, bundle] = data.read(group, wanted)
            self._held += _size(held)
            self._evict()
        elif name not in held:
            data.require(name)
        self._groups.move_to_end((file, group, bundle))
        return held[name]

    def _evict(self) -> None:
        while self._held > self._limit and len(self._groups) > 1:
            self._held -= _size(self._groups.popitem(last=False)[1])

    def _file(self, file: str) -> _DataFile:
        data = self._files.get(file)
        if data is None:
            while len(self._files) >= OPEN_FILES:
                self._files.popitem(last=False)[1].close()
            data = self._files[file] = _DataFile(self._root / file, self._root)
        self._files.move_to_end(file)
        return data

    def close(self) -> None:
        """Close every file. Idempotent."""
        with self._lock:
            while self._files:
                self._files.popitem()[1].close()
            self._groups.clear()
            self._held = 0


def _size(columns: dict[str, Column]) -> int:
    return sum(int(column.nbytes) for column in columns.values())


def _pick(column: Column, rows: list[int]) -> Column:
    return column[rows] if isinstance(column, np.ndarray) else column.take(pa.array(rows, pa.int64()))


def _join(parts: list[Column]) -> Column:
    if len(parts) == 1:
        return parts[0]
    if all(isinstance(part, np.ndarray) for part in parts):
        return np.concatenate(parts)
    return pa.chunked_array(parts).combine_chunks()
