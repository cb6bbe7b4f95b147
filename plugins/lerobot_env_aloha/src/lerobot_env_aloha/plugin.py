"""What this distribution offers: the environment `aloha`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lerobot_core.hookspecs import hookimpl
from lerobot_core.specs import EnvSpec, Parts
from lerobot_core.types import Problem

from .config import AlohaConfig

if TYPE_CHECKING:
    from lerobot_core.gymnasium_env import GymnasiumEnv


def _build(config: AlohaConfig, parts: Parts) -> GymnasiumEnv:
    from .env import make

    return make(config)


@hookimpl
def lerobot_envs() -> EnvSpec:
    """aloha."""
    return EnvSpec(
        name="aloha",
        summary="two arms insert a peg into a socket, or hand over a cube",
        config=AlohaConfig,
        build=_build,
        requires=("a system library that draws without a screen: EGL or OSMesa",),
    )


@hookimpl
def doctor() -> list[Problem]:
    """Is there a library to draw with."""
    from .drawing import problems

    return problems()
