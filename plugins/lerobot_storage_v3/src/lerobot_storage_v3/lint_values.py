"""Which episodes are unlike the others."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

# Ten deviations: of a normal distribution none in 10^22, of what people really record a handful.
_FAR = 10.0
_FEWEST = 8
_NONE = np.zeros(0, np.int64)


def outliers(values: NDArray[np.float64], floor: float) -> NDArray[np.int64]:
    """Positions further than ten robust deviations (1.48 MAD, at least `floor`) from the median; none among fewer than 8."""
    if len(values) < _FEWEST:
        return _NONE
    distance = np.abs(values - np.median(values))
    deviation = max(1.4826 * float(np.median(distance)), floor)
    return np.flatnonzero(distance > _FAR * deviation)


def moved(state: NDArray[np.float32], start: int, stop: int) -> bool:
    """True when the robot moved by more than 2 % of its range in the episode; also when nothing is known of its state."""
    if state.size == 0:
        return True
    travelled, span = np.ptp(state[start:stop], axis=0), np.ptp(state, axis=0)
    return bool((travelled > 0.02 * np.maximum(span, 1e-9)).any())


class Spread:
    """The range of a vector column, and each episode's mean and largest step."""

    def __init__(self) -> None:
        self.low = np.zeros(0)
        self.high = np.zeros(0)
        self._episodes: list[NDArray[np.int64]] = []
        self._means: list[NDArray[np.float64]] = []
        self._steps: list[NDArray[np.float64]] = []

    def add(self, values: NDArray[np.generic], episodes: NDArray[np.int64], starts: NDArray[np.int64]) -> None:
        """Rows (T, n) of whole episodes that begin at `starts`."""
        rows = values.astype(np.float64)
        low, high = rows.min(axis=0), rows.max(axis=0)
        self.low = low if self.low.size == 0 else np.minimum(self.low, low)
        self.high = high if self.high.size == 0 else np.maximum(self.high, high)
        lengths = np.diff([*starts, len(rows)])
        steps = np.abs(np.diff(rows, axis=0, prepend=rows[:1]))
        steps[starts] = 0
        self._episodes.append(episodes)
        self._means.append(np.add.reduceat(rows, starts, axis=0) / lengths[:, None])
        self._steps.append(np.maximum.reduceat(steps, starts, axis=0))

    def odd(self) -> Iterator[tuple[str, int, list[int]]]:
        """What is odd, in which dimension, in which episodes."""
        episodes = np.concatenate(self._episodes)
        span = np.maximum(self.high - self.low, 1e-9)
        for what, parts in (("an unusual mean", self._means), ("a jump", self._steps)):
            values = np.concatenate(parts) / span
            for dimension in range(values.shape[1]):
                # A hundredth of the range is no oddity, however alike the other episodes are.
                far = outliers(values[:, dimension], floor=0.01)
                if len(far):
                    yield what, dimension, episodes[far].tolist()
