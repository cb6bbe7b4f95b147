"""The built-in strategies, offered through the same entry points as everybody's."""

from __future__ import annotations

from typing import Any

from ..hookspecs import hookimpl
from ..specs import Parts, StrategySpec
from .config import EvalStrategyConfig, StrategyConfig


def _base(config: StrategyConfig, parts: Parts) -> Any:
    from .base import BaseStrategy

    return BaseStrategy()


def _teleoperate(config: StrategyConfig, parts: Parts) -> Any:
    from .base import TeleoperateStrategy

    return TeleoperateStrategy()


def _record(config: StrategyConfig, parts: Parts) -> Any:
    from .record import RecordStrategy

    return RecordStrategy()


def _replay(config: StrategyConfig, parts: Parts) -> Any:
    from .replay import ReplayStrategy

    return ReplayStrategy()


def _eval(config: EvalStrategyConfig, parts: Parts) -> Any:
    from .eval import EvalStrategy

    return EvalStrategy(config)


@hookimpl
def lerobot_strategies() -> list[StrategySpec]:
    """base, teleoperate, record, replay, eval."""
    return [
        StrategySpec(
            name="base",
            summary="run the policy, record nothing",
            config=StrategyConfig,
            build=_base,
            needs=frozenset({"inference"}),
            events=("pause",),
        ),
        StrategySpec(
            name="teleoperate",
            summary="the teleoperator drives, nothing is recorded",
            config=StrategyConfig,
            build=_teleoperate,
            needs=frozenset({"teleoperator"}),
        ),
        StrategySpec(
            name="record",
            summary="teleoperated episodes with a reset phase between them",
            config=StrategyConfig,
            build=_record,
            needs=frozenset({"teleoperator", "storage"}),
            resets_scene=True,
            events=("next", "rerecord", "discard", "success", "failure"),
        ),
        StrategySpec(
            name="replay",
            summary="a recorded episode on the robot",
            config=StrategyConfig,
            build=_replay,
            resets_scene=True,
        ),
        StrategySpec(
            name="eval",
            summary="attempts of the policy, each judged, with the scene reset between them",
            config=EvalStrategyConfig,
            build=_eval,
            needs=frozenset({"inference"}),
            resets_scene=True,
        ),
    ]
