"""Statistics of actions as differences from the state, over every place of a chunk: the dataset has only the whole ones'."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from lerobot_core.features import ACTION, STATE
from lerobot_storage_v3.reader import LerobotReader
from lerobot_torch.processors.relative import Relative
from numpy.typing import NDArray
from torch import from_numpy

SAMPLES = 200_000
"""Differences that are looked at, evenly over the dataset."""


def relative_statistics(reader: LerobotReader, config: Any) -> dict[str, NDArray[np.float64]]:
    """`min`, `max`, `mean`, `std`, `count` and quantiles of action - state, each (A,).

    Args:
        reader: the dataset.
        config: the policy's, with `chunk_size`; `relative_exclude_joints` and `action_feature_names` where it has them.
    """
    step = Relative(True, getattr(config, "relative_exclude_joints", ()), getattr(config, "action_feature_names", None))
    every = max(1, len(reader) * config.chunk_size // SAMPLES)
    found = np.concatenate(list(_differences(reader, step, config.chunk_size, every))).astype(np.float64)
    quantiles = {f"q{percent:02d}": np.quantile(found, percent / 100, axis=0) for percent in (1, 10, 50, 90, 99)}
    return {
        "min": found.min(0), "max": found.max(0), "mean": found.mean(0), "std": found.std(0),
        "count": np.array([len(found)], np.float64), **quantiles,
    }  # fmt: skip


def _differences(reader: LerobotReader, step: Relative, length: int, every: int) -> Iterator[NDArray[np.float32]]:
    for episode in range(len(reader.episodes)):
        actions, states = (np.asarray(reader.column(key, episode), np.float32) for key in (ACTION, STATE))
        for row in range(0, len(actions), every):
            chunk = from_numpy(actions[row : row + length].copy())[None]
            yield step({STATE: from_numpy(states[row : row + 1].copy()), ACTION: chunk})[ACTION][0].numpy()
