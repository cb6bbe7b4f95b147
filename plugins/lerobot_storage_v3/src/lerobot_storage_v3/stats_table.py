"""Statistics as a table for people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from lerobot_core.features import column_names, is_image
from numpy.typing import NDArray

from .episodes_meta import STATS
from .reader import LerobotReader

_CHANNELS = ("red", "green", "blue")


def rows(reader: LerobotReader, keys: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """One line a dimension; a header first."""
    yield ("", *STATS)
    for key in keys:
        found = {stat: value.ravel() for stat, value in reader.stats[key].items()}
        for position, name in enumerate(_names(reader, key, len(found.get("mean", ())))):
            yield (name, *(_cell(found.get(stat), position) for stat in STATS))


def _names(reader: LerobotReader, key: str, size: int) -> list[str]:
    entry = reader.info.features.get(key)
    if size == 1 or entry is None:
        return [key if size == 1 else f"{key}[{position}]" for position in range(size)]
    if is_image(entry):
        return [f"{key} {channel}" for channel in _CHANNELS[:size]]
    return [f"{key} {name}" for name in column_names(key, entry)]


def _cell(values: NDArray[np.float64] | None, position: int) -> str:
    if values is None or len(values) == 0:
        return "-"
    return f"{values[min(position, len(values) - 1)]:.4g}"
