"""Frames in memory that two processes share: a ring without locks and without a name in the file system."""

from __future__ import annotations

import mmap
import os
import tempfile
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

SLOTS = 4
"""With one being written and one being copied, two more give a slow reader two frame times."""
_HEAD = 64
"""Bytes before the images, and before each slot: newest number and state; number and time."""


class Shot(NamedTuple):
    """A picture with its number and the time it shows."""

    image: NDArray[np.uint8]
    seq: int
    captured: float


class FrameRing:
    """The last frames of one camera. One process writes, others read.

    Args:
        fd: the shared memory; it is mapped here and not closed.
        height, width: of the pictures.
    """

    def __init__(self, fd: int, height: int, width: int) -> None:
        self._map = mmap.mmap(fd, ring_bytes(height, width))
        head = np.frombuffer(self._map, np.int64, 8)
        self._newest, self._gone = head[0:1], head[1:2]
        step = _HEAD + height * width * 3
        self._slots = [self._slot(_HEAD + i * step, height, width) for i in range(SLOTS)]

    @property
    def gone(self) -> bool:
        """The camera has been unplugged."""
        return bool(self._gone[0])

    @gone.setter
    def gone(self, value: bool) -> None:
        self._gone[0] = value

    def write(self, image: NDArray[np.uint8], captured: float) -> None:
        """Publish the next frame."""
        seq = int(self._newest[0]) + 1
        number, time, pixels = self._slots[seq % SLOTS]
        number[0] = 0
        pixels[:] = image
        time[0] = captured
        number[0] = seq
        self._newest[0] = seq

    def newest(self) -> int:
        """The newest frame's number, 0 before the first."""
        return int(self._newest[0])

    def read(self) -> Shot | None:
        """A copy of the newest frame, None before the first."""
        while seq := self.newest():
            number, time, pixels = self._slots[seq % SLOTS]
            shot = Shot(pixels.copy(), seq, float(time[0]))
            # Overwritten while it was copied: there is a newer one by now.
            if number[0] == seq:
                return shot
        return None

    def _slot(
        self, start: int, height: int, width: int
    ) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.uint8]]:
        pixels = np.frombuffer(self._map, np.uint8, height * width * 3, start + _HEAD).reshape(height, width, 3)
        return np.frombuffer(self._map, np.int64, 1, start), np.frombuffer(self._map, np.float64, 1, start + 8), pixels


def ring_bytes(height: int, width: int) -> int:
    """How much memory a ring takes."""
    return _HEAD + SLOTS * (_HEAD + height * width * 3)


def allocate(height: int, width: int) -> int:
    """Shared memory for a ring, as a file without a name: it goes when the last process that has it open ends."""
    folder = "/dev/shm" if os.path.isdir("/dev/shm") else None
    with tempfile.TemporaryFile(dir=folder) as file:
        file.truncate(ring_bytes(height, width))
        return os.dup(file.fileno())
