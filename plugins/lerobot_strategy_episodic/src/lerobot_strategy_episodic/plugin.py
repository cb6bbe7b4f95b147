"""What this distribution offers: the strategy `episodic`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lerobot_core.hookspecs import hookimpl
from lerobot_core.specs import Parts, StrategySpec

from .config import EpisodicConfig

if TYPE_CHECKING:
    from .episodic import EpisodicStrategy


def _build(config: EpisodicConfig, parts: Parts) -> EpisodicStrategy:
    from .episodic import EpisodicStrategy

    return EpisodicStrategy(config)


@hookimpl
def lerobot_strategies() -> StrategySpec:
    """episodic."""
    return StrategySpec(
        name="episodic",
        summary="a policy drives episode after episode, with resets between them",
        config=EpisodicConfig,
        build=_build,
        needs=frozenset({"inference", "storage"}),
        events=("next", "rerecord", "discard", "success", "failure", "start", "pause", "push"),
        resets_scene=True,
    )
