"""What a strategy may ask the loop to do with one period."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .types import Action

Shape = Callable[[Action, float], Action]
"""(action, t of the tick) -> what to request instead; called once in each period that has such an action."""


@dataclass(frozen=True, slots=True)
class Policy:
    """Execute the queue's next action, or what `through` makes of it (a hand-over)."""

    through: Shape | None = None


@dataclass(frozen=True, slots=True)
class Teleop:
    """Execute the teleoperator's action, or what `through` makes of it (a hand-over, a clutch)."""

    through: Shape | None = None


@dataclass(frozen=True, slots=True)
class Hold:
    """Send the last sent action again; before the first one, nothing."""


@dataclass(frozen=True, slots=True)
class Goto:
    """Move to `target` in about `seconds`, through the safety filter, without blocking the loop."""

    target: Action
    seconds: float


@dataclass(frozen=True, slots=True)
class Stop:
    """End the run in an orderly way; `reason` goes into the summary."""

    reason: str


Command = Policy | Teleop | Hold | Goto | Stop
