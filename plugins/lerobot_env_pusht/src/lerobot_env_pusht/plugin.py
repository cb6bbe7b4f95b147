"""What this distribution offers: the environment `pusht`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lerobot_core.hookspecs import hookimpl
from lerobot_core.specs import EnvSpec, Parts

from .config import PushTConfig

if TYPE_CHECKING:
    from lerobot_core.gymnasium_env import GymnasiumEnv


def _build(config: PushTConfig, parts: Parts) -> GymnasiumEnv:
    from .env import make

    return make(config)


@hookimpl
def lerobot_envs() -> EnvSpec:
    """pusht."""
    return EnvSpec(
        name="pusht",
        summary="push a T-shaped block onto its outline, in two dimensions",
        config=PushTConfig,
        build=_build,
    )
