"""A test pattern that moves, and says in its pixels which frame it is."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

BITS = 24  # 6 days at 30 fps


class Pattern:
    """Colour ramps drifting to the left, with a bar of 24 black or white blocks on top: the frame number, high bit first.

    Blocks are width // 24 pixels wide, so at 640 px the number survives video compression and thumbnails.
    """

    def __init__(self, width: int, height: int, seed: int = 0) -> None:
        self.width, self.height = width, height
        x = np.arange(2 * width, dtype=np.int64)
        y = np.arange(height, dtype=np.int64)[:, None]
        ramp = 510 * ((x + 97 * seed) % width) // width
        saw = np.abs(ramp - 255)  # no edge where the picture wraps round
        wide = np.stack(np.broadcast_arrays(saw, 255 * y // height, (saw + 255 * y // height) // 2), axis=-1)
        self._wide = np.ascontiguousarray(wide, dtype=np.uint8)

    def frame(self, number: int) -> NDArray[np.uint8]:
        """A fresh read-only uint8 (H, W, 3) image; one copy, about 0.2 ms at 640x480."""
        shift = 2 * number % self.width
        image = self._wide[:, shift : shift + self.width].copy()
        block = self.width // BITS
        bits = (number >> np.arange(BITS - 1, -1, -1)) & 1
        image[: _bar(self.height), : block * BITS] = np.repeat(255 * bits, block).astype(np.uint8)[None, :, None]
        image.flags.writeable = False
        return image


def number_of(image: NDArray[np.uint8]) -> int:
    """The frame number drawn into a `Pattern` image or a thumbnail of one."""
    height, width = image.shape[:2]
    block = width // BITS
    bar = image[: _bar(height), : block * BITS].reshape(_bar(height), BITS, block, -1)
    return int("".join("1" if mean > 127 else "0" for mean in bar.mean(axis=(0, 2, 3))), 2)


def thumbnail(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Every n-th pixel, 24 to 47 pixels wide: small enough to keep, and `number_of` still reads it."""
    step = max(1, image.shape[1] // BITS)
    return np.ascontiguousarray(image[::step, ::step])


def _bar(height: int) -> int:
    return max(1, height // 12)
