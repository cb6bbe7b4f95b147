"""Leaving the arm safe: park it, hold it, or say that it cannot be done."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Literal

from ..clock import Clock
from ..contracts.robot import Robot
from ..errors import BusError, DeviceError, UserError
from ..types import Action, Features, Observation
from .motion import PARK_LIMIT_S, Glide, shorten, stalled, travel_time
from .patience import Patience
from .signals import Signals, StopNow

log = logging.getLogger("lerobot.run")

Exit = Literal["park", "hold", "release"]
STALL_S = 0.5
HOLD_S = 10.0
_STEP_S = 0.02


class Parker:
    """Ends a run's motion.

    Args:
        robot: engaged.
        clock: the run's.
        signals: a further signal ends a hold; `StopNow` passes through.
        home: where to park, None when it is unknown (then the arm holds).
        on_exit: `--on-exit`.
        acted: has the operator done anything since it was last asked; that ends a hold too.

    Attributes:
        exit: how the arm was left.
    """

    def __init__(
        self,
        robot: Robot,
        clock: Clock,
        signals: Signals,
        home: Action | None,
        on_exit: str,
        acted: Callable[[], bool] = lambda: False,
    ) -> None:
        self._robot, self._clock, self._signals, self._acted = robot, clock, signals, acted
        self._home, self._on_exit = home, on_exit
        self.exit: Exit = "release"
        self._features: Features = robot.action_features
        self._patience = Patience()

    @property
    def keeps_torque(self) -> bool:
        """The arm was told to hold after the run, and it does."""
        return self.exit == "hold" and self._on_exit == "hold"

    def rest(self, last: Action | None, dead: BusError | None, drop: bool) -> None:
        """`finish`, then torque off; `drop`, or a second signal meanwhile, skips straight to torque off."""
        try:
            if drop:
                raise StopNow
            self.exit = self.finish(last, dead)
        except StopNow:
            self.exit = "release"
            log.warning("torque goes off now: the arm will drop")
        if self.keeps_torque:
            return
        try:
            self._robot.disengage()
        except UserError as error:
            log.error("torque could NOT be switched off: %s; cut the arm's power", error.what)

    def finish(self, last: Action | None, dead: BusError | None) -> Exit:
        """Bring the arm to its end state and say which; torque is still on, except for `release`.

        Args:
            last: the last action sent, None when nothing ever moved.
            dead: the bus or motor failure that ended the run: then nothing is moved any more.
        """
        if dead is not None and dead.motor is None:
            log.error("the bus is gone: the arm keeps its last goal, and torque cannot be changed from here")
            return "hold"
        if dead is not None:
            return self._hold(f"not parking: {dead.what}")
        if last is None:
            return "hold" if self._on_exit == "hold" else "release"
        if self._on_exit == "hold":
            return "hold"
        if self._home is None or set(self._home) != set(last):
            return self._hold("not parking: the park pose is unknown")
        return self._park(last)

    def _park(self, last: Action) -> Exit:
        assert self._home is not None
        seconds = travel_time(last, self._home, self._features)
        target = self._home
        if seconds > PARK_LIMIT_S:
            log.warning("parking ends after %.0f s, short of the park pose", PARK_LIMIT_S)
            target, seconds = shorten(last, self._home, PARK_LIMIT_S / seconds), PARK_LIMIT_S
        log.debug("parking takes %.1f s", seconds)
        try:
            joint = self._follow(Glide(last, target, seconds, self._clock.now()))
        except DeviceError as error:
            return self._hold(f"parking failed: {error.what}")
        return "park" if joint is None else self._hold(f"parking stopped: '{joint}' does not follow")

    def _follow(self, glide: Glide) -> str | None:
        """Send the glide at 50 Hz; the joint that stalled for `STALL_S`, else None."""
        deadline, behind_since = self._clock.now(), None
        present = Observation()
        while True:
            sent = self._robot.send_action(glide.at(deadline))
            present = self._look(deadline) or present
            joint = stalled({k: float(present[k]) for k in sent if k in present}, sent, self._features)
            behind_since = (behind_since if behind_since is not None else deadline) if joint else None
            if behind_since is not None and deadline - behind_since > STALL_S:
                return joint
            if glide.over(deadline):
                return None
            deadline += _STEP_S
            self._clock.sleep_until(deadline)

    def _look(self, t: float) -> Observation | None:
        """Where the arm is; None while it is silent for no longer than the loop would bear."""
        try:
            seen = self._robot.get_observation()
        except BusError as error:
            if error.motor is None or not self._patience.lasts(t):
                raise
            return None
        self._patience.heard()
        return seen

    def _hold(self, why: str) -> Exit:
        """Keep the last goal with torque on until a signal or `HOLD_S`, then let go unless told to hold."""
        if self._on_exit == "hold":
            log.warning("%s; the arm keeps holding", why)
            return "hold"
        log.warning("%s; holding for %.0f s, support the arm (Ctrl-C lets go now)", why, HOLD_S)
        self._signals.restart()
        end = self._clock.now() + HOLD_S
        while self._clock.now() < end and not self._signals.received and not self._acted():
            self._clock.sleep_until(self._clock.now() + 0.05)
        log.warning("torque goes off now; the arm may drop")
        return "hold"
