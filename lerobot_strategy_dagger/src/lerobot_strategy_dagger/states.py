"""Who drives, and what changes it.

AUTONOMOUS  --pause-->  PAUSED      --pause, start-->  AUTONOMOUS
AUTONOMOUS  --takeover-->  CORRECTING  <--takeover--  PAUSED
CORRECTING  --pause, discard-->  PAUSED
CORRECTING  --takeover-->  whoever had the arm before: the policy, or nobody when it was paused
"""

from __future__ import annotations

from enum import Enum


class State(Enum):
    """Who decides what the arm does next."""

    AUTONOMOUS = "autonomous"
    PAUSED = "paused"
    CORRECTING = "correcting"


_MOVES = {
    (State.AUTONOMOUS, "pause"): State.PAUSED,
    (State.AUTONOMOUS, "takeover"): State.CORRECTING,
    (State.PAUSED, "pause"): State.AUTONOMOUS,
    (State.PAUSED, "start"): State.AUTONOMOUS,
    (State.PAUSED, "takeover"): State.CORRECTING,
    (State.CORRECTING, "pause"): State.PAUSED,
    (State.CORRECTING, "discard"): State.PAUSED,
}


class Driver:
    """The state, and where a correction returns to.

    Attributes:
        state: the policy drives first.
    """

    def __init__(self) -> None:
        self.state = State.AUTONOMOUS
        self._before = State.AUTONOMOUS

    def after(self, event: str) -> State | None:
        """The state that an operator's event leads to, None when it leads nowhere from here."""
        if self.state is State.CORRECTING and event == "takeover":
            return self._before
        return _MOVES.get((self.state, event))

    def enter(self, state: State) -> State:
        """Change, and return the state before."""
        left, self.state = self.state, state
        if state is State.CORRECTING:
            self._before = left
        return left
