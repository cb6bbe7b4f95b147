"""What a checkpoint says it takes and gives, as its `config.json` and its processors spell it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from lerobot_core.errors import ContractError
from lerobot_core.features import ACTION, ENVIRONMENT, STATE

KINDS = ("STATE", "VISUAL", "ENV", "ACTION", "REWARD", "LANGUAGE")


class PolicyFeature(NamedTuple):
    """One input or output: its kind, one of `KINDS`, and its shape without batch and time; images (C, H, W)."""

    kind: str
    shape: tuple[int, ...]

    def as_json(self) -> dict[str, Any]:
        """`{"type", "shape"}`."""
        return {"type": self.kind, "shape": list(self.shape)}


PolicyFeatures = dict[str, PolicyFeature]
"""By checkpoint key (`observation.state`, `observation.images.front`, `action`), in the checkpoint's order."""


def read_features(data: Mapping[str, Any], where: str) -> PolicyFeatures:
    """From JSON.

    Raises:
        ContractError: an entry is no `{"type", "shape"}`, or its type is unknown.
    """
    found: PolicyFeatures = {}
    for key, entry in data.items():
        kind = entry.get("type") if isinstance(entry, Mapping) else None
        shape = entry.get("shape") if isinstance(entry, Mapping) else None
        if kind not in KINDS or not isinstance(shape, list) or not all(isinstance(length, int) for length in shape):
            raise ContractError(
                f"{where}: {key!r} is {entry!r}", 'it must be {"type", "shape"}', f"types: {', '.join(KINDS)}"
            )
        found[key] = PolicyFeature(kind, tuple(shape))
    return found


def write_features(features: Mapping[str, PolicyFeature]) -> dict[str, Any]:
    """To JSON."""
    return {key: feature.as_json() for key, feature in features.items()}


def visual(features: Mapping[str, PolicyFeature]) -> list[str]:
    """The keys of images, in order."""
    return [key for key, feature in features.items() if feature.kind == "VISUAL"]


def width(features: Mapping[str, PolicyFeature], key: str) -> int:
    """How many numbers `key` holds, 0 when it is absent."""
    return features[key].shape[0] if key in features else 0


__all__ = [
    "ACTION",
    "ENVIRONMENT",
    "STATE",
    "PolicyFeature",
    "PolicyFeatures",
    "read_features",
    "visual",
    "width",
    "write_features",
]
