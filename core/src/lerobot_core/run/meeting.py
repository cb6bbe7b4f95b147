"""Robot and policy are introduced to each other, wherever the policy is."""

from __future__ import annotations

from ..contracts.inference import Elsewhere, Meeting
from ..contracts.policy import RobotAware
from .build import Built
from .plan import Plan


def meet_policy(plan: Plan, parts: Built) -> float | None:
    """Fill in what the policy needs and gives; its rate, None when any will do.

    Raises:
        UserError: the policy is not made for this robot, or not to be found.
    """
    if parts.policy is not None:
        if isinstance(parts.policy, RobotAware):
            parts.policy.bind(plan.observation, plan.action)
        plan.needs, plan.gives = parts.policy.needs, parts.policy.gives
        return parts.policy.fps
    engine: object = parts.inference
    if isinstance(engine, Elsewhere):
        met = engine.meet(_meeting(plan))
        plan.needs, plan.gives = met.needs, met.gives
        return met.fps
    return None


def _meeting(plan: Plan) -> Meeting:
    config = plan.config
    return Meeting(
        robot=getattr(plan.robot.config, "id", None) or "",
        robot_type=plan.robot_type,
        observation=plan.observation,
        action=plan.action,
        rename=config.rename_map,
        fps=config.fps,
        task=config.task,
        policy=config.policy,
    )
