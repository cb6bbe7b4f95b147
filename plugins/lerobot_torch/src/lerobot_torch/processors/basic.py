"""Steps that only move things: new names, a batch dimension, another device."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from lerobot_core.features import ACTION, OBSERVATION
from torch import Tensor

from .step import Batch, Step

_COMPANIONS = ("_is_pad", "_padding_mask")


class Rename(Step):
    """Observations under other keys, with their padding masks; what is not in the map keeps its key."""

    name = "rename_observations_processor"

    def __init__(self, rename_map: Mapping[str, str] | None = None) -> None:
        self.rename_map = dict(rename_map or {})
        self._all = self.rename_map | {
            old + end: new + end for old, new in self.rename_map.items() for end in _COMPANIONS
        }

    def __call__(self, batch: Batch) -> Batch:
        """Keys renamed, order kept."""
        return {self._all.get(key, key): value for key, value in batch.items()}

    def config(self) -> dict[str, Any]:
        """`rename_map`."""
        return {"rename_map": self.rename_map}


class ToBatch(Step):
    """A single observation becomes a batch of one."""

    name = "to_batch_processor"

    def __call__(self, batch: Batch) -> Batch:
        """Vectors and actions (n,) -> (1, n), images (C, H, W) -> (1, C, H, W), text -> a list of one."""
        return {key: _batched(key, value) for key, value in batch.items()}


def _batched(key: str, value: Any) -> Any:
    if key == "task":
        return [value] if isinstance(value, str) else value
    if isinstance(value, Tensor) and key.startswith((OBSERVATION, ACTION)):
        single = value.dim() == 1 or (value.dim() == 3 and is_picture(key))
        return value[None] if single else value
    return value


def is_picture(key: str) -> bool:
    """Is this an image of an observation?"""
    return key.startswith(OBSERVATION) and "image" in key


class ToDevice(Step):
    """Every tensor on one device; floats in another precision when asked for."""

    name = "device_processor"

    def __init__(self, device: str = "cpu", float_dtype: str | None = None) -> None:
        self.device, self.float_dtype = device, float_dtype
        self._dtype = getattr(torch, float_dtype) if float_dtype else None
        # Metal has no double precision.
        self._narrow = device.startswith("mps")

    def __call__(self, batch: Batch) -> Batch:
        """Tensors moved; everything else untouched."""
        return {key: self._moved(value) if isinstance(value, Tensor) else value for key, value in batch.items()}

    def _moved(self, value: Tensor) -> Tensor:
        dtype = value.dtype
        if value.is_floating_point():
            dtype = self._dtype or (torch.float32 if self._narrow and dtype == torch.float64 else dtype)
        return value.to(self.device, dtype, non_blocking=self.device.startswith("cuda"))

    def config(self) -> dict[str, Any]:
        """`device`, `float_dtype`."""
        return {"device": self.device, "float_dtype": self.float_dtype}

    def inverse(self) -> Step:
        """Actions come back to the CPU."""
        return ToDevice("cpu")

    def moved(self, device: str) -> Step:
        """The same, to another device."""
        return ToDevice(device, self.float_dtype)
