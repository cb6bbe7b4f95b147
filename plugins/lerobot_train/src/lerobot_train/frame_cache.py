"""Decoded images, kept: one memory-mapped file a camera, shared by every process that reads the dataset.

A frame's checksum stands beside it and says that it is there and whole, so that a file left by a killed run, or by a
power loss in the middle, is used as far as it goes. The files are sparse: what was never read costs no disk.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import uuid
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np
from lerobot_core.errors import ConfigError
from numpy.typing import NDArray

_SHARED = Path("/dev/shm")
_PREFIX, _OWNER = "lr-frames-", "owner"


class FrameCache:
    """Images by camera and global index.

    Args:
        folder: where its files are; made.
        shapes: (H, W, C) by key.
        frames: rows of the dataset.
    """

    def __init__(self, folder: Path, shapes: Mapping[str, tuple[int, int, int]], frames: int) -> None:
        self._folder, self._shapes, self._frames = folder, dict(shapes), frames
        folder.mkdir(0o700, parents=True, exist_ok=True)
        self._maps = {key: self._open(key, shape) for key, shape in shapes.items()}

    def _open(self, key: str, shape: tuple[int, int, int]) -> tuple[NDArray[np.uint8], NDArray[np.uint32]]:
        images = _mapped(self._folder / f"{key}.images", np.uint8, (self._frames, *shape))
        return images, _mapped(self._folder / f"{key}.sums", np.uint32, (self._frames,))

    def get(self, key: str, index: int) -> NDArray[np.uint8] | None:
        """A copy of the image (H, W, C); None where there is none."""
        images, sums = self._maps[key]
        if not sums[index]:
            return None
        image = np.array(images[index])
        return image if _sum(image) == sums[index] else None

    def put(self, key: str, index: int, image: NDArray[np.uint8]) -> None:
        """Keep it."""
        images, sums = self._maps[key]
        images[index] = image
        sums[index] = _sum(image)

    def __getstate__(self) -> dict[str, Any]:
        return {"folder": self._folder, "shapes": self._shapes, "frames": self._frames}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(**state)  # type: ignore[misc]


def _sum(image: NDArray[np.uint8]) -> int:
    return zlib.crc32(image.data) or 1  # 0 says that there is no image


def _mapped(path: Path, dtype: type[Any], shape: tuple[int, ...]) -> Any:
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    with path.open("ab") as file:
        if file.tell() != size:
            file.truncate(size)
    return np.memmap(path, dtype, "r+", shape=shape)


def needed(shapes: Mapping[str, tuple[int, int, int]], frames: int) -> int:
    """Bytes of a full cache."""
    return frames * sum(int(np.prod(shape)) + 4 for shape in shapes.values())


def ram_folder(size: int) -> Path:
    """The name of a folder in memory with room for `size` bytes, else among the temporary files.

    Raises:
        ConfigError: there is no room.
    """
    drop_abandoned()
    places = [place for place in (_SHARED, Path(tempfile.gettempdir())) if place.is_dir()]
    free = {place: shutil.disk_usage(place).free for place in places}
    place = next((each for each in places if free[each] > size * 1.05), None)
    if place is None:
        room = ", ".join(f"{each}: {bytes_ / 1e9:.1f} GB" for each, bytes_ in free.items())
        raise ConfigError(f"the decoded images need {size / 1e9:.1f} GB", f"free are {room}",
                          "a smaller --dataset.resize, --dataset.cache disk, or --dataset.cache none")  # fmt: skip
    return place / f"{_PREFIX}{uuid.uuid4().hex[:12]}"


@contextmanager
def owned(folder: Path) -> Iterator[None]:
    """A folder that goes with the context; a lock says meanwhile that somebody needs it."""
    folder.mkdir(0o700, parents=True, exist_ok=True)
    with (folder / _OWNER).open("w") as lock:
        _lock(lock)
        try:
            yield
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def drop_abandoned() -> None:
    """Folders that killed runs left: gigabytes of memory that nobody else gives back."""
    for place in (_SHARED, Path(tempfile.gettempdir())) if os.name == "posix" else ():
        for lock in place.glob(f"{_PREFIX}*/{_OWNER}"):
            try:
                with lock.open() as file:
                    _lock(file)
                    shutil.rmtree(lock.parent, ignore_errors=True)
            except OSError:
                continue  # in use, or somebody else's


def _lock(file: IO[str]) -> None:
    """Raises OSError when somebody else has it; elsewhere than on POSIX nothing is locked, and nothing taken away."""
    if os.name == "posix":
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
