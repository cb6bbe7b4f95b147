"""A camera-like scene; needs numpy only, so that the peer's environment draws the same pictures."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

HEIGHT, WIDTH, PERIOD = 480, 640, 48


class Scene:
    """VGA pictures: smooth texture, noise of `grain` grey levels that repeats every 8 frames, moving blocks."""

    def __init__(self, seed: int, grain: float = 3.0) -> None:
        dice = np.random.default_rng(seed)
        coarse = dice.uniform(40, 215, (16, 21, 3))
        rows, columns = np.linspace(0, 14.99, HEIGHT), np.linspace(0, 19.99, WIDTH)
        self._ground = _bilinear(coarse, rows, columns)
        self._noise = [dice.normal(0, grain, (HEIGHT, WIDTH, 3)).astype(np.float32) for _ in range(8)]
        self._blocks = dice.integers(60, 255, (5, 3))
        self._frames = [self._draw(index) for index in range(PERIOD)]

    def _draw(self, index: int) -> NDArray[np.uint8]:
        image = self._ground.copy()
        for number, colour in enumerate(self._blocks):
            left = int((WIDTH - 90) * (0.5 + 0.5 * np.sin(2 * np.pi * index / PERIOD + number)))
            image[60 + 80 * number : 120 + 80 * number, left : left + 80] = colour
        return np.clip(image + self._noise[index % 8], 0, 255).astype(np.uint8)

    def frame(self, index: int) -> NDArray[np.uint8]:
        """The picture of row `index`."""
        return self._frames[index % PERIOD]


def _bilinear(
    coarse: NDArray[np.float64], rows: NDArray[np.float64], columns: NDArray[np.float64]
) -> NDArray[np.float32]:
    top, left = rows.astype(int), columns.astype(int)
    down, right = (rows - top)[:, None, None], (columns - left)[None, :, None]
    above = coarse[top][:, left] * (1 - right) + coarse[top][:, left + 1] * right
    below = coarse[top + 1][:, left] * (1 - right) + coarse[top + 1][:, left + 1] * right
    return (above * (1 - down) + below * down).astype(np.float32)
