"""What this distribution offers: the strategy `highlight`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lerobot_core.hookspecs import hookimpl
from lerobot_core.specs import Parts, StrategySpec

from .config import HighlightConfig

if TYPE_CHECKING:
    from .highlight import HighlightStrategy


def _build(config: HighlightConfig, parts: Parts) -> HighlightStrategy:
    from .highlight import HighlightStrategy

    return HighlightStrategy(config)


@hookimpl
def lerobot_strategies() -> StrategySpec:
    """highlight."""
    return StrategySpec(
        name="highlight",
        summary="run the policy, keep what a key asks for together with the seconds before it",
        config=HighlightConfig,
        build=_build,
        needs=frozenset({"inference", "storage", "operator"}),
        events=("save", "discard", "pause", "success", "failure", "push"),
    )
