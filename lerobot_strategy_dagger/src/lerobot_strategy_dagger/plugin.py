"""What this distribution offers: the strategy `dagger`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lerobot_core.hookspecs import hookimpl
from lerobot_core.specs import Parts, StrategySpec
from lerobot_core.types import Problem

from .config import DaggerConfig

if TYPE_CHECKING:
    from lerobot_core.run.plan import Plan

    from .dagger import DaggerStrategy


def _build(config: DaggerConfig, parts: Parts) -> DaggerStrategy:
    from .dagger import DaggerStrategy

    return DaggerStrategy(config)


@hookimpl
def lerobot_strategies() -> StrategySpec:
    """dagger."""
    return StrategySpec(
        name="dagger",
        summary="a person takes over from the policy and corrects it",
        config=DaggerConfig,
        build=_build,
        needs=frozenset({"inference", "operator", "storage", "teleoperator"}),
        events=(
            "pause", "takeover", "clutch", "next", "success", "failure",
            "discard", "rerecord", "save", "push", "start",
        ),
        resets_scene=True,
    )  # fmt: skip


@hookimpl
def check(plan: Plan) -> list[Problem]:
    """A row that does not say who acted is of no use here."""
    dataset = plan.config.dataset
    if plan.strategy.name != "dagger" or dataset is None or dataset.config.extras != "none":
        return []
    text = "without extra columns no row says whether a person acted (intervention, source)"
    return [Problem("error", "dataset.extras", text, "leave --dataset.extras out")]
