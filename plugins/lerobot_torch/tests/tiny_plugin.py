"""The policy `tiny`: as light as a plugin module must be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from lerobot_core.config.fields import option
from lerobot_core.hookspecs import hookimpl
from lerobot_core.specs import Parts, PolicySpec
from lerobot_torch.config import TorchPolicyConfig


@dataclass(frozen=True, kw_only=True)
class TinyConfig(TorchPolicyConfig):
    """One linear layer."""

    FREE: ClassVar[frozenset[str]] = frozenset({"optimizer_lr"})

    chunk_size: int = option(4, help="actions in a chunk", low=1)
    normalization_mapping: dict[str, str] = option(
        factory=lambda: {"VISUAL": "IDENTITY", "STATE": "MIN_MAX", "ACTION": "MEAN_STD"}, help="modes"
    )
    action_feature_names: list[str] | None = option(None, help="names")
    tied: bool = option(False, help="two names for one tensor")
    optimizer_lr: float = option(1e-3, help="learning rate")


def _build(config: TinyConfig, parts: Parts) -> Any:
    from lerobot_torch import open_policy

    return open_policy(config)


@hookimpl
def lerobot_policies() -> PolicySpec:
    """tiny."""
    return PolicySpec(name="tiny", summary="tiny", config=TinyConfig, build=_build, torch="tiny_policy:TinyPolicy")
