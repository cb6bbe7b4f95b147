"""A trajectory to play: the way to an episode's first pose, then the episode."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]


def approach(present: Array, first: Array, rate: float, fps: float) -> Array:
    """Poses (n, A) on the straight line from `present` (A,) to `first` (A,), excluding both, at `rate` units a second."""
    steps = math.ceil(float(np.max(np.abs(first - present), initial=0.0)) / rate * fps)
    shares = np.arange(1, steps, dtype=np.float32)[:, None] / max(steps, 1)
    return (present + shares * (first - present)).astype(np.float32)


class Trajectory:
    """Rows (T, A) on a time axis, to which more rows can be added.

    Args:
        rows: the actions, one a period.
        fps: periods a second.
        start: when row 0 is due.
    """

    def __init__(self, rows: Array, fps: float, start: float) -> None:
        self.rows, self.fps, self.start = rows, fps, start

    def index(self, t: float) -> int:
        """The row due at `t`, at least 0; beyond the end when it is over."""
        return max(0, round((t - self.start) * self.fps))

    def left(self, t: float) -> int:
        """Rows from the one due at `t` to the end."""
        return len(self.rows) - self.index(t)

    def extend(self, rows: Array) -> None:
        """Go on with `rows` after the last one."""
        self.rows = np.concatenate([self.rows, rows])

    def chunk(self, t: float, size: int) -> Array:
        """(size, A) from the row due at `t`; the last row is repeated past the end."""
        begin = self.index(t)
        picks = np.minimum(np.arange(begin, begin + size), len(self.rows) - 1)
        return self.rows[picks]
