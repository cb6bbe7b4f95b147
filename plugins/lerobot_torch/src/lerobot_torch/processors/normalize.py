"""Normalisation by a dataset's statistics, and back."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch
from lerobot_core.errors import ContractError
from lerobot_core.features import ACTION
from torch import Tensor

from ..features import PolicyFeature, PolicyFeatures, read_features, write_features
from .step import Batch, State, Step

Stats = Mapping[str, Mapping[str, Any]]
"""Feature -> statistic (`mean`, `q01`, …) -> numbers."""

# The statistics each mode needs; the last three map their range onto -1..1.
MODES: dict[str, tuple[str, ...]] = {
    "IDENTITY": (),
    "MEAN_STD": ("mean", "std"),
    "MIN_MAX": ("min", "max"),
    "QUANTILES": ("q01", "q99"),
    "QUANTILE10": ("q10", "q90"),
}


class Affine(NamedTuple):
    """normalised = (x - offset) / divisor * scale - shift; back: (y + shift) / scale * factor + offset.

    The peer divides by std + eps and multiplies by std: `divisor` and `factor` keep its numbers.
    """

    offset: Tensor
    divisor: Tensor
    factor: Tensor
    scale: float
    shift: float

    def forth(self, x: Tensor) -> Tensor:
        """Normalised."""
        if self.scale == 1.0:
            return (x - self.offset) / self.divisor
        return self.scale * (x - self.offset) / self.divisor - self.shift

    def back(self, y: Tensor) -> Tensor:
        """In the dataset's units again."""
        if self.scale == 1.0:
            return y * self.factor + self.offset
        return (y + self.shift) / self.scale * self.factor + self.offset

    def like(self, x: Tensor) -> Affine:
        """On the device and in the precision of `x`."""
        offset, divisor, factor = (each.to(x.device, x.dtype) for each in (self.offset, self.divisor, self.factor))
        return Affine(offset, divisor, factor, self.scale, self.shift)


def affine(mode: str, stats: Mapping[str, Tensor], eps: float) -> Affine:
    """What `mode` does with these statistics."""
    first, second = (stats[name] for name in MODES[mode])
    if mode == "MEAN_STD":
        return Affine(first, second + eps, second, 1.0, 0.0)
    span = second - first
    span = torch.where(span == 0, torch.full_like(span, eps), span)
    return Affine(first, span, span, 2.0, 1.0)


class Normalization(Step):
    """What both directions share.

    Args:
        eps: added to a standard deviation, and standing in for a range of zero.
        features: what there is to normalise.
        norm_map: feature type -> mode; a type that is not in it is left alone.
        stats: statistics by feature; more than is needed is kept for whoever reads the file next.
        normalize_observation_keys: only these observations; None: all.

    Raises:
        ContractError: a mode is unknown, or a statistic that is needed is missing or not finite.
    """

    def __init__(
        self,
        features: PolicyFeatures,
        norm_map: Mapping[str, str],
        stats: Mapping[str, Mapping[str, Tensor]],
        eps: float = 1e-8,
        normalize_observation_keys: list[str] | None = None,
    ) -> None:
        self.features, self.norm_map, self.eps = features, dict(norm_map), eps
        self.only = normalize_observation_keys
        self.stats = {key: {name: _shaped(value, features.get(key)) for name, value in each.items()}
                      for key, each in stats.items()}  # fmt: skip
        self._affine = self._affines()

    @classmethod
    def read(cls, config: Mapping[str, Any], state: State, artifacts: Mapping[str, Path]) -> Step:
        """From JSON, the statistics from the state file: `<feature>.<statistic>`."""
        options = dict(config)
        features = read_features(options.pop("features"), cls.name)
        return cls(features=features, stats=unflatten(state), **options)

    def config(self) -> dict[str, Any]:
        """`eps`, `features`, `norm_map`, and `normalize_observation_keys` where there are any."""
        config = {"eps": self.eps, "features": write_features(self.features), "norm_map": self.norm_map}
        return config if self.only is None else config | {"normalize_observation_keys": sorted(self.only)}

    def state(self) -> dict[str, Tensor]:
        """Every statistic, flat."""
        return flatten(self.stats)

    def transform(self, key: str) -> Affine | None:
        """What is done to `key`; None: nothing."""
        return self._affine.get(key)

    def _affines(self) -> dict[str, Affine]:
        modes = {key: self._mode(key, feature) for key, feature in self.features.items()}
        self._refuse_missing(modes)
        return {key: affine(mode, self.stats[key], self.eps) for key, mode in modes.items() if MODES[mode]}

    def _mode(self, key: str, feature: PolicyFeature) -> str:
        if self.only is not None and feature.kind != "ACTION" and key not in self.only:
            return "IDENTITY"
        mode = self.norm_map.get(feature.kind, "IDENTITY")
        if mode not in MODES:
            raise ContractError(f"{self.name} has the unknown mode {mode!r}", f"modes: {', '.join(MODES)}")
        return mode

    def _refuse_missing(self, modes: Mapping[str, str]) -> None:
        wanted = [(key, name) for key, mode in modes.items() for name in MODES[mode]]
        missing = [f"{key}.{name}" for key, name in wanted if name not in self.stats.get(key, {})]
        if missing:
            there = sorted(f"{key}.{name}" for key, each in self.stats.items() for name in each)
            raise ContractError(
                f"{self.name} lacks statistics: {', '.join(missing)}",
                f"there are: {', '.join(there) or 'none'}",
                "use a checkpoint saved with them, or train it further on a dataset that has them",
            )
        broken = [f"{key}.{name}" for key, name in wanted if not self.stats[key][name].isfinite().all()]
        if broken:
            raise ContractError(
                f"{self.name} has statistics that are not finite: {', '.join(broken)}",
                "they were never computed",
                "use a checkpoint saved after training",
            )

    def _apply(self, batch: Batch, back: bool) -> Batch:
        found = dict(batch)
        for key, each in self._affine.items():
            value = found.get(key)
            if isinstance(value, Tensor):
                if (each.offset.device, each.offset.dtype) != (value.device, value.dtype):
                    each = self._affine[key] = each.like(value)
                found[key] = each.back(value) if back else each.forth(value)
        return found


class Normalize(Normalization):
    """Observations and actions in the dataset's units -> normalised."""

    name = "normalizer_processor"

    def __call__(self, batch: Batch) -> Batch:
        """What the features name and the batch has; (..., n) and images (..., C, H, W)."""
        return self._apply(batch, back=False)

    def inverse(self) -> Step:
        """Actions back into the dataset's units."""
        actions = {key: feature for key, feature in self.features.items() if feature.kind == "ACTION"}
        return Unnormalize(actions, self.norm_map, self.stats, self.eps)


class Unnormalize(Normalization):
    """Normalised -> in the dataset's units."""

    name = "unnormalizer_processor"

    def __call__(self, batch: Batch) -> Batch:
        """What the features name and the batch has."""
        return self._apply(batch, back=True)

    def pair(self, before: list[Step]) -> None:
        """Refuse a checkpoint whose actions went in by other statistics than they come out by.

        Raises:
            ContractError: the two sides differ.
        """
        forth = next((step for step in before if isinstance(step, Normalize)), None)
        if forth is not None and not _same(forth.transform(ACTION), self.transform(ACTION)):
            raise ContractError(
                "the checkpoint normalises actions in one way and undoes it in another",
                f"{forth.name} and {self.name} differ in mode or statistics of {ACTION!r}",
                "save it again with the statistics it was trained with",
            )


def _same(one: Affine | None, other: Affine | None) -> bool:
    if one is None or other is None:
        return one is other
    return one.scale == other.scale and all(
        a.shape == b.shape and torch.equal(a.cpu(), b.cpu()) for a, b in zip(one[:3], other[:3], strict=True)
    )


def tensors(stats: Stats) -> dict[str, dict[str, Tensor]]:
    """Statistics as float32 tensors; text and language have none and are left out."""
    return {
        key: {name: torch.as_tensor(value, dtype=torch.float32) for name, value in each.items()}
        for key, each in stats.items()
    }


def flatten(stats: Mapping[str, Mapping[str, Tensor]]) -> dict[str, Tensor]:
    """`{"action": {"mean": …}}` -> `{"action.mean": …}`."""
    return {f"{key}.{name}": value for key, each in stats.items() for name, value in each.items()}


def unflatten(state: State) -> dict[str, dict[str, Tensor]]:
    """`{"action.mean": …}` -> `{"action": {"mean": …}}`; features may have dots in their names."""
    found: dict[str, dict[str, Tensor]] = {}
    for flat, value in state.items():
        key, _, name = flat.rpartition(".")
        found.setdefault(key, {})[name] = value.float()
    return found


def _shaped(value: Tensor, feature: PolicyFeature | None) -> Tensor:
    """Statistics of an image (C,) as (C, 1, 1), so that they meet its channels."""
    flat = feature is not None and feature.kind == "VISUAL" and value.dim() == 1
    return value.reshape(-1, 1, 1) if flat else value
