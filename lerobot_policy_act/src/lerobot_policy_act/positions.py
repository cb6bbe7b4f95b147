"""Fixed sinusoidal positions, of a sequence (arXiv 1706.03762) and of a picture (arXiv 2005.12872).

Computed with numpy: a network that is about to be filled from a checkpoint is made without memory, and torch's `arange`
without memory costs seconds of imports.
"""

from __future__ import annotations

import functools
import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

_TEMPERATURE = 10000.0


def sequence_positions(length: int, width: int) -> Tensor:
    """(length, width): sin in even columns, cos in odd ones, of position / 10000^(2 (column // 2) / width)."""
    return torch.from_numpy(_waves(np.arange(length, dtype=np.float64), width))


@torch.compiler.assume_constant_result  # type: ignore[untyped-decorator]
def picture_positions(height: int, row: int, width: int, device: torch.device) -> Tensor:
    """(height * row, width), row by row: the first half of the columns tells y, the second x.

    Coordinates count from 1 and are scaled to 2 pi, so that positions mean the same at every resolution.
    """
    return _picture_positions(height, row, width, device)


@functools.lru_cache(maxsize=8)
def _picture_positions(height: int, row: int, width: int, device: torch.device) -> Tensor:
    y, x = (_waves(np.arange(1, size + 1) / (size + 1e-6) * 2 * math.pi, width // 2) for size in (height, row))
    both = np.concatenate([np.repeat(y, row, axis=0), np.tile(x, (height, 1))], axis=1)
    return torch.from_numpy(both).to(device)


def _waves(coordinates: NDArray[np.float64], width: int) -> NDArray[np.float32]:
    columns = np.arange(width)
    angles = coordinates[:, None] / _TEMPERATURE ** (2 * (columns // 2) / width)
    return np.where(columns % 2 == 0, np.sin(angles), np.cos(angles)).astype(np.float32)
