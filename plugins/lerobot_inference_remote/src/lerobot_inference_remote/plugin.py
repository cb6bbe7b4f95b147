"""What this distribution offers: the inference engine `remote`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lerobot_core.hookspecs import hookimpl
from lerobot_core.specs import InferenceSpec, Parts

from .config import RemoteConfig

if TYPE_CHECKING:
    from .engine import RemoteEngine


def _build(config: RemoteConfig, parts: Parts) -> RemoteEngine:
    from .engine import RemoteEngine

    return RemoteEngine(config, parts.clock)


@hookimpl
def lerobot_inference_engines() -> InferenceSpec:
    """remote."""
    return InferenceSpec(
        name="remote",
        summary="the policy runs on another machine (lr serve)",
        config=RemoteConfig,
        build=_build,
        needs_policy=False,
    )
