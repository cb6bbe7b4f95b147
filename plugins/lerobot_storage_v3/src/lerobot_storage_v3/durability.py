"""What makes bytes last: flushing to the disk, one writer at a time, and errors that say what to do."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import socket
import sys
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from lerobot_core.errors import StorageError

from .faults import NONE, Faults

PRIVATE = ".lr"
"""The folder below the root for what is not part of the dataset: stages and the lock. Gone after `finalize`."""


class DurableFile:
    """A file without buffer that can be flushed to the disk; also what a video muxer writes to.

    Args:
        existing: keep what is in it.

    Attributes:
        size: the number of bytes written, rewritten ones included.
    """

    def __init__(self, path: Path, faults: Faults = NONE, existing: bool = False) -> None:
        self.path, self.size, self._fd = path, 0, -1
        self._faults = faults
        self._fd = os.open(path, os.O_RDWR if existing else os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o644)

    def write(self, data: bytes | memoryview) -> int:
        """All of `data`, or OSError. Once closed it swallows: a muxer that is given up still empties its buffers."""
        if self._fd < 0:
            return len(data)
        self._faults.reach("bytes", len(data))
        left = memoryview(data)
        while left:
            left = left[os.write(self._fd, left) :]
        self.size += len(data)
        return len(data)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """As a file's."""
        return os.lseek(self._fd, offset, whence) if self._fd >= 0 else 0

    def tell(self) -> int:
        """As a file's."""
        return os.lseek(self._fd, 0, os.SEEK_CUR)

    def begin_flush(self) -> None:
        """Have the system start writing what it holds back, without waiting: `sync` then has little left to do.

        12 MB of video: fsync takes 1.5 ms instead of 7 to 15.
        """
        if self._fd >= 0 and hasattr(os, "posix_fadvise"):
            os.posix_fadvise(self._fd, 0, 0, os.POSIX_FADV_DONTNEED)

    def sync(self) -> None:
        """Return when the disk has it, and close."""
        os.fsync(self._fd)
        self.close()

    def close(self) -> None:
        """Close without waiting for the disk. Idempotent."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def __del__(self) -> None:
        self.close()


def write_file(path: Path, data: bytes | memoryview, faults: Faults = NONE) -> DurableFile:
    """A new file with `data`, open until somebody calls `sync`."""
    file = DurableFile(path, faults)
    file.write(data)
    return file


def sync_files(files: Iterable[DurableFile]) -> None:
    """Flush and close all of them at once: a disk takes little longer for ten than for one."""
    _in_parallel([file.sync for file in files])


def sync_folders(folders: Iterable[Path]) -> None:
    """Make the names in these folders last."""
    _in_parallel([_FolderSync(folder) for folder in dict.fromkeys(folders)])


class _FolderSync:
    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self) -> None:
        fd = os.open(self.folder, os.O_RDONLY)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)


def _in_parallel(calls: list[Any]) -> None:
    if not calls:
        return
    with ThreadPoolExecutor(len(calls), "fsync") as pool:
        for future in [pool.submit(call) for call in calls]:
            future.result()


def storage_error(error: Exception, root: Path) -> StorageError:
    """What the operating system said, as something a person can act on."""
    if isinstance(error, StorageError):
        return error
    code = error.errno if isinstance(error, OSError) else None
    kept = "the episodes saved so far are safe"
    if code in (errno.ENOSPC, errno.EDQUOT):
        return StorageError(f"the disk is full: {root}", kept, f"free some space, then: lr dataset repair {root}")
    if code in (errno.EROFS, errno.EACCES, errno.EPERM):
        reason = os.strerror(code)
        return StorageError(f"cannot write to {root}", reason, "check its permissions, or give another --dataset.root")
    if isinstance(error, OSError) and not (root / "meta").is_dir():
        why = error.strerror or str(error)
        return StorageError(f"no dataset can be made in {root}", why, "give another --dataset.root")
    return StorageError(f"writing to {root} failed: {error}", kept, f"lr dataset repair {root}")


class WriterLock:
    """One writer at a time: a lock on `ROOT/.lr/lock` that the system drops when its holder dies.

    Raises:
        StorageError: another process holds it; names that process.
    """

    def __init__(self, root: Path) -> None:
        self._path = root / PRIVATE / "lock"
        self._fd = _locked(self._path, root)
        os.ftruncate(self._fd, 0)
        os.pwrite(self._fd, json.dumps(_me()).encode(), 0)

    def release(self) -> None:
        """Let the next one in. Idempotent."""
        if self._fd >= 0:
            self._path.unlink(missing_ok=True)
            os.close(self._fd)
            self._fd = -1
            with contextlib.suppress(OSError):  # not empty: an episode waits there for a repair
                self._path.parent.rmdir()


def _locked(path: Path, root: Path) -> int:
    import fcntl  # POSIX only: imported by whoever writes, not by whoever reads

    while True:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        except FileNotFoundError:
            continue  # the last holder removed the folder in between
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = _holder(fd)
            os.close(fd)
            raise StorageError(
                f"{root} is being written by {holder}", "one writer at a time", "wait for it, or stop it"
            ) from None
        if _is_at(fd, path):
            return fd
        os.close(fd)  # its holder removed the file in between: lock the one that is there now


def _is_at(fd: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(fd), path.stat())
    except FileNotFoundError:
        return False


def _me() -> dict[str, Any]:
    since = time.strftime("%Y-%m-%d %H:%M:%S")
    # The verb and no options: a token among them has no business in a dataset's folder.
    command = " ".join([Path(sys.argv[0]).name, *(word for word in sys.argv[1:2] if not word.startswith("-"))])
    return {"pid": os.getpid(), "host": socket.gethostname(), "since": since, "command": command}


def _holder(fd: int) -> str:
    try:
        found = json.loads(os.pread(fd, 4096, 0))
        return f"process {found['pid']} on {found['host']} since {found['since']} ({found['command']})"
    except (ValueError, KeyError, TypeError):
        return "another process"
