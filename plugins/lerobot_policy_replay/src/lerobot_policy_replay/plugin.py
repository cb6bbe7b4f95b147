"""What this distribution offers: the policy `replay`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lerobot_core.hookspecs import hookimpl
from lerobot_core.specs import Parts, PolicySpec

from .config import ReplayConfig

if TYPE_CHECKING:
    from .replay import ReplayPolicy


def _build(config: ReplayConfig, parts: Parts) -> ReplayPolicy:
    from lerobot_core.errors import ConfigError
    from lerobot_core.registry import default_registry

    from .replay import ReplayPolicy

    tools = default_registry().spec("storage", config.storage).tools  # type: ignore[attr-defined]
    if tools is None:
        raise ConfigError(f"storage {config.storage!r} cannot read datasets", fix="--policy.storage lerobot")
    return ReplayPolicy(config, tools().reader(config.dataset), parts.clock)


@hookimpl
def lerobot_policies() -> PolicySpec:
    """replay."""
    return PolicySpec(
        name="replay", summary="plays the actions of a recorded dataset", config=ReplayConfig, build=_build
    )
