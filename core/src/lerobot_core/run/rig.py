"""From what was built to what a tick touches."""

from __future__ import annotations

import logging

from ..action_queue import ActionQueue
from ..clock import Clock
from ..safety import SafetyFilter
from .build import Built
from .cameras import Cameras
from .loop import Rig
from .observers import ObserverThread
from .plan import Plan
from .signals import Signals

log = logging.getLogger("lerobot.run")


def assemble(
    plan: Plan,
    parts: Built,
    clock: Clock,
    queue: ActionQueue,
    cameras: Cameras,
    signals: Signals,
    observers: ObserverThread,
) -> Rig:
    """The parts of one run, connected and checked, for its loop."""
    processors = list(parts.processors.values())
    return Rig(
        clock=clock,
        robot=parts.robot,
        strategy=parts.strategy,
        cameras=cameras,
        safety=_filter(plan),
        queue=queue,
        signals=signals,
        inference=parts.inference,
        teleoperator=parts.teleoperator,
        operators=list(parts.operators.values()),
        observation_steps=[p for p in processors if p.side == "observation"],
        action_steps=[p for p in processors if p.side == "action"],
        observers=observers,
        stop_ends=not plan.config.interactive,
    )


def _filter(plan: Plan) -> SafetyFilter | None:
    if not plan.config.safety:
        log.warning("the safety filter is OFF: nothing limits range, speed or NaN")
        return None
    return SafetyFilter(plan.action, getattr(plan.robot.config, "limits", None))
