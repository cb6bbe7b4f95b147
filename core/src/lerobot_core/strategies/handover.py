"""Passing the arm between policy and person: nothing jumps, nothing waits.

`Handover` brings requests from where the arm is to where the new driver wants it; `Leader` keeps an actuated leader where
the arm is, so that the person finds it in place. Both do one small step a tick.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from ..contracts.teleoperator import Teleoperator
from ..errors import BusError, DeviceError
from ..run.motion import UNKNOWN_RATE
from ..run.patience import Patience
from ..safety import RAMP_FLOOR, RAMP_S
from ..types import Action, Features, Tick

SHARE = 0.9
"""Of what the safety filter lets through after a change of source. The rest is for a robot that answers with its nearest
device step: what is requested is then what is sent."""


class Handover:
    """Bounds the requests of a new driver until the arm has come to where that driver wants it.

    In the first second a joint may move at 9 % of its max_rate, rising to 90 %, as the safety filter's ramp does. The
    hand-over ends once that second is over and a request has been reached; from then on requests pass unchanged.

    Args:
        features: the robot's action features; a joint without max_rate is taken to have `UNKNOWN_RATE`.
        period: seconds between two calls.
    """

    def __init__(self, features: Features, period: float) -> None:
        self._steps = {key: SHARE * period * (feature.max_rate or UNKNOWN_RATE) for key, feature in features.items()}
        self._period = period
        self._elapsed = 0.0
        self._at: Action | None = None

    @property
    def over(self) -> bool:
        """True while requests pass unchanged."""
        return self._at is None

    def begin(self, at: Action) -> None:
        """The arm is at `at`, and somebody else drives from the next call on."""
        self._at, self._elapsed = dict(at), 0.0

    def __call__(self, wanted: Action, t: float = 0.0) -> Action:
        """The way to `wanted` that one period allows; a value that is no number is left to the safety filter."""
        if self._at is None:
            return wanted
        share = min(1.0, RAMP_FLOOR + (1.0 - RAMP_FLOOR) * self._elapsed / RAMP_S)
        ramping, self._elapsed = self._elapsed < RAMP_S, self._elapsed + self._period
        action = {key: self._toward(key, value, share) for key, value in wanted.items()}
        self._at |= {key: value for key, value in action.items() if math.isfinite(value)}
        if action == wanted and not ramping:
            self._at = None
        return action

    def _toward(self, key: str, wanted: float, share: float) -> float:
        at = (self._at or {}).get(key, wanted)
        step = share * self._steps.get(key, math.inf)
        return wanted if not abs(wanted - at) > step else at + math.copysign(step, wanted - at)


def place(tick: Tick, features: Features) -> Action:
    """Where the arm is, as an action: what was sent last; before that, where it stands."""
    if tick.sent is not None:
        return dict(tick.sent)
    seen: Mapping[str, Any] = tick.observation
    return {key: float(seen[key]) for key in features if key in seen}


class Leader:
    """The person's end of a hand-over. Loop thread only.

    A leader with motors of its own stands where the arm stands while somebody else drives, and goes limp when the person
    takes it. A passive one is left alone: then the arm comes to the leader.

    Args:
        teleoperator: what the person holds, None without one.
        features: the robot's action features; their rates bound the leader too.
        period: seconds between two ticks.
        mirror: False leaves an actuated leader limp.
    """

    def __init__(self, teleoperator: Teleoperator | None, features: Features, period: float, mirror: bool) -> None:
        self._motors = teleoperator if mirror and teleoperator is not None and teleoperator.actuated else None
        self._features = features
        self._way = Handover(features, period)
        self._patience = Patience()
        self._stiff = False

    def follow(self, tick: Tick) -> None:
        """One step of the leader towards the arm; it goes stiff first if it was the person's."""
        if self._motors is None or tick.human is None:
            return
        if not self._stiff:
            self._tell("engage")
            self._stiff = True
            self._way.begin(tick.human)
        try:
            self._motors.feedback(self._way(place(tick, self._features)))
        except BusError as error:
            if not self._patience.lasts(tick.t):
                raise _leaders(error) from error
        else:
            self._patience.heard()

    def let_go(self) -> None:
        """The person has it: torque off."""
        if self._stiff:
            self._stiff = False
            self._tell("release")

    def _tell(self, what: str) -> None:
        try:
            getattr(self._motors, what)()
        except BusError as error:
            raise _leaders(error) from error


def _leaders(error: BusError) -> DeviceError:
    """No BusError: the robot's own bus is well, so the arm can still park."""
    return DeviceError(f"teleoperator: {error.what}", error.why, error.fix)
