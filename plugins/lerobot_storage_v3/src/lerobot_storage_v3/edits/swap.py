"""Making a dataset beside another, or out of nothing, so that at every moment there is a whole one under its name."""

from __future__ import annotations

import ctypes
import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from lerobot_core.errors import StorageError

from .. import layout
from ..durability import WriterLock, storage_error
from ..repair import repair_locked

_AT_FDCWD = -100
_RENAME_EXCHANGE = 2


@contextmanager
def replacing(root: Path, older: bool = False) -> Iterator[Path]:
    """A folder for the successor of the dataset at `root`; swapped in when the block ends well, removed otherwise.

    What a crash left of the dataset is repaired first; nobody can write to it meanwhile.

    Args:
        older: it is of a version that only a conversion reads.

    Raises:
        StorageError: no dataset, another process is writing to it, or the disk does not take it.
    """
    root = root.resolve()
    if not older or not (root / layout.INFO).is_file():
        layout.read_info(root)
    lock = WriterLock(root)
    new = _fresh(root)
    try:
        if not older:
            repair_locked(root)
        yield new
        sync(new)
        exchange(new, root)
    except OSError as error:
        raise storage_error(error, root) from error
    finally:
        shutil.rmtree(new, ignore_errors=True)
        lock.release()


@contextmanager
def creating(target: Path) -> Iterator[Path]:
    """A folder that becomes `target` when the block ends well.

    Raises:
        StorageError: `target` exists, or the disk does not take it.
    """
    target = target.resolve()
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise StorageError(f"{target} exists", "nothing is overwritten", "give another folder, or delete it first")
    target.parent.mkdir(parents=True, exist_ok=True)
    new = _fresh(target)
    try:
        yield new
        sync(new)
        new.rename(target)
    except OSError as error:
        raise storage_error(error, target) from error
    finally:
        shutil.rmtree(new, ignore_errors=True)


def _fresh(root: Path) -> Path:
    new = root.with_name(f".{root.name}.new")
    # Left by an edit that was killed; whoever holds the lock may take it away.
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir(parents=True)
    return new


def sync(root: Path) -> None:
    """Return when the disk has everything below `root`."""
    for folder, _, files in os.walk(root):
        for name in [*files, "."]:
            fd = os.open(os.path.join(folder, name), os.O_RDONLY)
            try:
                os.fsync(fd)
            finally:
                os.close(fd)


def exchange(new: Path, root: Path) -> None:
    """Swap two folders; in one step where the system can, so that a crash cannot fall in between."""
    if sys.platform == "linux":
        library = ctypes.CDLL(None, use_errno=True)
        rename = getattr(library, "renameat2", None)
        if rename and rename(_AT_FDCWD, os.fsencode(new), _AT_FDCWD, os.fsencode(root), _RENAME_EXCHANGE) == 0:
            return
    old = root.with_name(f".{root.name}.old")
    root.rename(old)
    new.rename(root)
    old.rename(new)


def link_files(root: Path, target: Path, but: Sequence[str] = ()) -> None:
    """Everything of a dataset but what begins with one of `but`: rows and videos linked, the rest copied."""
    for path in sorted(root.rglob("*")):
        name = path.relative_to(root).as_posix()
        if not path.is_file() or name.startswith((".", *but)) or "/." in name:
            continue
        if name.startswith(("data/", "videos/")):
            link(path, target / name)
        else:
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target / name)


def link(source: Path, target: Path) -> None:
    """The same file under another name; copied where the file system has no links. Files are replaced, never changed."""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
