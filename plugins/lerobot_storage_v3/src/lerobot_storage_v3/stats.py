"""Statistics of an episode and of a dataset, by the peer's algorithm.

A stat is `{"min", "max", "mean", "std", "count", "q01", "q10", "q50", "q90", "q99"}` of float arrays: (n,) for a
vector; (3, 1, 1), in [0, 1], for pictures. `count` is (1,) int64, rows or sampled pictures.

Sums over pictures are exact here. The peer adds pixels up in float32: over 5 million of them the mean of a scene at
236.5 comes out as 245.7 and its standard deviation as 0.0 instead of 7.9.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Stat = dict[str, NDArray[Any]]
Stats = dict[str, Stat]
"""By feature key."""

QUANTILES = {"q01": 0.01, "q10": 0.10, "q50": 0.50, "q90": 0.90, "q99": 0.99}
_BINS = 5000


def column_stat(values: NDArray[Any]) -> Stat:
    """One column's: `values` is (T,) or (T, n), numbers or bools, T >= 1.

    Mean and deviation are taken in float32 unless the column is wider, as the peer does.
    """
    with np.errstate(invalid="ignore", over="ignore"):
        return _column_stat(values.reshape(len(values), -1))


def _column_stat(rows: NDArray[Any]) -> Stat:
    if len(rows) < 2:
        # One row is below what the histogram takes: every quantile is the mean.
        row = rows[0].astype(np.float64)
        return _stat(row, row, row, np.zeros_like(row), 1, {name: row for name in QUANTILES})
    rows = rows.astype(np.result_type(rows.dtype, np.float32), copy=False)
    mean = np.mean(rows, axis=0)
    std = np.sqrt(np.maximum(np.mean(rows**2, axis=0) - mean**2, 0))
    low, high = np.min(rows, axis=0), np.max(rows, axis=0)
    columns = [_quantiles(*np.unique(column, return_counts=True)) for column in rows.T]
    return _stat(low, high, mean, std, len(rows), _by_name(columns))


def _stat(low: Any, high: Any, mean: Any, std: Any, count: int, quantiles: Mapping[str, Any]) -> Stat:
    values = {"min": low, "max": high, "mean": mean, "std": std}
    stat = {name: np.asarray(value) for name, value in (values | dict(quantiles)).items()}
    return stat | {"count": np.array([count], np.int64)}


def _by_name(columns: Sequence[Sequence[float]]) -> dict[str, NDArray[np.float64]]:
    return dict(zip(QUANTILES, np.array(columns, np.float64).T, strict=True))


def _quantiles(values: NDArray[Any], counts: NDArray[np.int64]) -> list[float]:
    """Interpolated in a histogram of 5000 bins over the sorted `values`, each seen `counts` times."""
    if not np.isfinite(values).all():
        return [float("nan")] * len(QUANTILES)
    edges = np.linspace(values[0] - 1e-10, values[-1] + 1e-10, _BINS + 1)
    below = np.concatenate(([0], np.cumsum(counts)))
    # A bin holds its left edge, the last bin its right one too.
    places = np.append(np.searchsorted(values, edges[:-1]), np.searchsorted(values, edges[-1], "right"))
    cumulated = below[places][1:] - below[places[0]]
    return [_interpolate(cumulated, edges, quantile * below[-1]) for quantile in QUANTILES.values()]


def _interpolate(cumulated: NDArray[np.int64], edges: NDArray[Any], target: float) -> float:
    index = int(np.searchsorted(cumulated, target))
    if index == 0 or index == len(cumulated):
        return float(edges[0] if index == 0 else edges[-1])
    before = cumulated[index - 1]
    # The search found the first bin that reaches the target, so it is not empty.
    fraction = (target - before) / (cumulated[index] - before)
    return float(edges[index] + fraction * (edges[index + 1] - edges[index]))


def sampled(length: int) -> list[int]:
    """Which of an episode's `length` frames the statistics look at: about length ** 0.75 of them, at least 100."""
    number = max(min(100, length), min(int(length**0.75), 10_000))
    return [int(index) for index in np.round(np.linspace(0, length - 1, number))]


def _stride(height: int, width: int) -> int:
    return max(height, width) // 150 if max(height, width) >= 300 else 1


class PictureStats:
    """One camera's, gathered frame by frame as histograms of 256 values a channel: 1.5 kB a VGA frame.

    Which frames count is known only at the end, so every frame's histogram is kept until then.
    """

    def __init__(self) -> None:
        self._frames: list[NDArray[np.uint32]] = []

    def __len__(self) -> int:
        return len(self._frames)

    def add(self, image: NDArray[np.uint8]) -> None:
        """One uint8 (H, W, C) frame."""
        step = _stride(*image.shape[:2])
        small = image[::step, ::step]
        channels = [np.bincount(small[..., channel].ravel(), minlength=256) for channel in range(image.shape[2])]
        self._frames.append(np.array(channels, np.uint32))

    def repeat(self) -> None:
        """The last frame again."""
        self._frames.append(self._frames[-1])

    def forget(self, frames: int) -> None:
        """Drop the oldest `frames`."""
        del self._frames[:frames]

    def keep(self, frames: int) -> None:
        """Drop all but the first `frames`."""
        del self._frames[frames:]

    def finish(self, everything: bool = False) -> Stat:
        """(C, 1, 1) arrays in [0, 1]; `count` is the number of frames looked at: a sample of them, or all."""
        indices = range(len(self._frames)) if everything else sampled(len(self._frames))
        total = np.zeros(self._frames[0].shape, np.int64)
        for index in indices:
            total += self._frames[index]
        return _picture_stat(total, len(indices))


def _picture_stat(total: NDArray[np.int64], frames: int) -> Stat:
    values = np.arange(256)
    pixels = total.sum(axis=1)
    mean = (total @ values) / pixels
    std = np.sqrt(np.maximum((total @ values**2) / pixels - mean**2, 0))
    seen = [np.flatnonzero(channel) for channel in total]
    low, high = [present[0] for present in seen], [present[-1] for present in seen]
    pairs = zip(total, seen, strict=True)
    columns = [_quantiles(present.astype(np.float32), channel[present]) for channel, present in pairs]
    stat = _stat(low, high, mean, std, frames, _by_name(columns))
    return {name: value if name == "count" else (value / 255.0).reshape(-1, 1, 1) for name, value in stat.items()}


def aggregate(parts: Sequence[Stats]) -> Stats:
    """Several episodes' statistics, or a dataset's and an episode's, as one.

    Mean and deviation are exact; quantiles are the parts' averages weighted by count, as the peer has them, and exist
    only where every part has them.
    """
    keys = list(dict.fromkeys(key for part in parts for key in part))
    return {key: _merged([part[key] for part in parts if key in part]) for key in keys}


def _merged(parts: Sequence[Stat]) -> Stat:
    counts = np.stack([part["count"] for part in parts]).astype(np.int64)
    total = counts.sum(axis=0)
    weights = counts.reshape(len(parts), *[1] * parts[0]["mean"].ndim)

    def average(values: NDArray[Any]) -> NDArray[Any]:
        return np.asarray((values * weights).sum(axis=0) / total)

    means = np.stack([part["mean"] for part in parts])
    mean = average(means)
    # Squared before they are stacked: an episode's float32 meets a dataset's float64 as the peer lets them meet.
    variance = average(np.stack([part["std"] ** 2 for part in parts]) + (means - mean) ** 2)
    merged: Stat = {
        "min": np.min([part["min"] for part in parts], axis=0),
        "max": np.max([part["max"] for part in parts], axis=0),
        "mean": mean,
        "std": np.sqrt(variance),
        "count": total,
    }
    shared = [name for name in QUANTILES if all(name in part for part in parts)]
    return merged | {name: average(np.stack([part[name] for part in parts])) for name in shared}


def to_json(stats: Stats) -> dict[str, dict[str, Any]]:
    """As `stats.json` holds it."""
    return {key: {name: value.tolist() for name, value in stat.items()} for key, stat in stats.items()}


def from_json(raw: Mapping[str, Mapping[str, Any]]) -> Stats:
    """The other way round."""
    return {key: {name: np.asarray(value) for name, value in stat.items()} for key, stat in raw.items()}
