"""The policy `toy`: as light as a plugin module must be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from lerobot_core.config.fields import option
from lerobot_core.hookspecs import hookimpl
from lerobot_core.specs import Parts, PolicySpec
from lerobot_torch.config import TorchPolicyConfig


@dataclass(frozen=True, kw_only=True)
class ToyConfig(TorchPolicyConfig):
    """A small network with dropout, so that random numbers matter."""

    FREE: ClassVar[frozenset[str]] = frozenset({"optimizer_lr", "fault"})

    chunk_size: int = option(4, help="actions in a chunk", low=1)
    normalization_mapping: dict[str, str] = option(
        factory=lambda: {"VISUAL": "MEAN_STD", "STATE": "MEAN_STD", "ACTION": "MEAN_STD"}, help="modes"
    )
    width: int = option(8, help="of its one hidden layer")
    optimizer_lr: float = option(1e-3, help="learning rate")
    fault: str = option(
        "", help="nan, oom or stop, at the third step; slow", choices=("", "nan", "oom", "slow", "stop")
    )


def _build(config: ToyConfig, parts: Parts) -> Any:
    from lerobot_torch import open_policy

    return open_policy(config)


@hookimpl
def lerobot_policies() -> PolicySpec:
    """toy."""
    return PolicySpec(name="toy", summary="toy", config=ToyConfig, build=_build, torch="toy_policy:ToyPolicy")
