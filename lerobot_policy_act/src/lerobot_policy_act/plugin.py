"""What this distribution offers: the policy `act`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lerobot_core.hookspecs import hookimpl
from lerobot_core.specs import Parts, PolicySpec

from .config import ACTConfig

if TYPE_CHECKING:
    from lerobot_torch import NumpyPolicy


def _build(config: ACTConfig, parts: Parts) -> NumpyPolicy:
    from lerobot_torch import open_policy

    return open_policy(config)


@hookimpl
def lerobot_policies() -> PolicySpec:
    """act."""
    return PolicySpec(
        name="act",
        summary="action chunking with transformers, from a checkpoint",
        config=ACTConfig,
        build=_build,
        torch="lerobot_policy_act.policy:ACTPolicy",
    )
