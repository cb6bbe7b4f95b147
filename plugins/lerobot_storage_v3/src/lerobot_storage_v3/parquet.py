"""Parquet files as this format uses them: opened with an error that names the cure, written whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from lerobot_core.errors import StorageError


def open_file(path: Path, root: Path) -> pq.ParquetFile:
    """A parquet file, its footer read.

    Raises:
        StorageError: missing or truncated; names the file below `root` and the command that mends it.
    """
    try:
        return pq.ParquetFile(path)
    except FileNotFoundError as error:
        raise missing(path, root) from error
    except (pa.ArrowInvalid, OSError) as error:
        raise broken(path, root, error) from error


def missing(path: Path, root: Path) -> StorageError:
    """What to say of a file that the metadata names and the disk does not have."""
    return StorageError(
        f"{path.relative_to(root)} is missing from {root}",
        "the dataset's metadata names it",
        f"lr dataset verify {root}   (or fetch it again: lr dataset pull ORG/NAME --root {root})",
    )


def broken(path: Path, root: Path, error: Exception) -> StorageError:
    """What to say of a file that cannot be parsed."""
    reason = str(error).splitlines()[0]
    return StorageError(f"{path.relative_to(root)} in {root} is damaged", reason, f"lr dataset repair {root}")


def read(path: Path, root: Path, keep: Callable[[str], bool] | None = None) -> pa.Table:
    """A whole file, or the columns whose names `keep` accepts.

    Raises:
        StorageError: missing or damaged.
    """
    file = open_file(path, root)
    try:
        names = None if keep is None else [name for name in file.schema_arrow.names if keep(name)]
        # One thread: these files are small, and a pool of decoders would compete with the control loop.
        return file.read(columns=names, use_threads=False)
    except (pa.ArrowInvalid, OSError) as error:
        raise broken(path, root, error) from error
    finally:
        file.close()


def write(path: Path, table: pa.Table, groups: Iterable[int] = ()) -> None:
    """Write beside, flush to the disk, rename. `groups` are row-group lengths (none: one group)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    with beside.open("wb") as sink:
        with pq.ParquetWriter(sink, table.schema, compression="snappy", use_dictionary=True) as writer:
            start = 0
            for length in tuple(groups) or (table.num_rows,):
                writer.write_table(table.slice(start, length), row_group_size=max(1, length))
                start += length
        sink.flush()
        os.fsync(sink.fileno())
    beside.replace(path)


def episode_lengths(table: pa.Table) -> list[int]:
    """Rows of each episode in a data table, in order: the row groups it is written with."""
    episodes = column(table, "episode_index")
    edges = np.flatnonzero(np.diff(episodes)) + 1
    return np.diff([0, *edges, len(episodes)]).tolist() if len(episodes) else []


def column(table: pa.Table, name: str) -> np.ndarray:
    """A numeric or bool column as numpy: (T,) of a scalar, (T, n) of either list encoding, (T, a, b) of nested lists.

    Pandas rewrites fixed-size lists as variable ones; both read the same here.
    """
    return unpack(table.column(name).combine_chunks())


def unpack(array: pa.Array | pa.ChunkedArray) -> np.ndarray:
    """An Arrow array of numbers, or of equally long lists of them, as numpy."""
    if isinstance(array, pa.ChunkedArray):
        array = array.combine_chunks()
    if isinstance(array, pa.ExtensionArray):
        array = array.storage
    kind, rows = array.type, len(array)
    if not (pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)):
        return np.asarray(array.to_numpy(zero_copy_only=False))
    inner = unpack(array.flatten())
    return inner.reshape(rows, -1, *inner.shape[1:]) if rows else inner.reshape(0, 0)
