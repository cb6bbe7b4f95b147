"""What a strategy may ask the loop to do with one period."""

from __future__ import annotations

from dataclasses import dataclass

from .types import Action


@dataclass(frozen=True, slots=True)
class Policy:
    """Execute the queue's next action."""


@dataclass(frozen=True, slots=True)
class Teleop:
    """Execute the teleoperator's action."""


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
