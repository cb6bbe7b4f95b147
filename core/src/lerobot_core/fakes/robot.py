"""An ideal robot: it is where it was sent."""

from __future__ import annotations

import math
import random
from collections import deque
from typing import NamedTuple

from ..clock import Clock
from ..contracts.robot import CalibrationUI
from ..errors import BusError, ContractError, DeviceError
from ..types import Action, Features, Observation
from .config import FakeRobotConfig
from .joints import clamp, joint_features


class Call(NamedTuple):
    """One call that the robot got: method, `clock.now()`, and what was really sent."""

    name: str
    t: float
    action: Action | None = None


class FakeRobot:
    """Mirrors commands, follows them with a lag when asked, and fails in known ways.

    Attributes:
        calls: the newest 100,000 calls, for tests; an hour at 100 Hz must not fill the memory.
        holding: torque was left on by the last `disconnect`.
    """

    def __init__(self, config: FakeRobotConfig, clock: Clock) -> None:
        self.calls: deque[Call] = deque(maxlen=100_000)
        self.holding = False
        self._config, self._clock = config, clock
        self._features = joint_features(config.joints)
        self._present: Action = {key: clamp(0.0, feature) for key, feature in self._features.items()}
        self._goal: Action | None = None
        self._dice = random.Random(config.seed)
        self._read_at = 0.0
        self._reads = self._failures = 0
        self._connected = self._engaged = False

    @property
    def observation_features(self) -> Features:
        """The joints."""
        return dict(self._features)

    @property
    def action_features(self) -> Features:
        """The joints."""
        return dict(self._features)

    @property
    def is_connected(self) -> bool:
        """True between `connect` and `disconnect`."""
        return self._connected

    @property
    def is_engaged(self) -> bool:
        """True between `engage` and `disengage`."""
        return self._engaged

    @property
    def park_pose(self) -> Action | None:
        """The configured one."""
        return self._config.park_pose

    def connect(self) -> None:
        """Fails with fault `bus_gone` and `fault_after` 0, as an unplugged arm does."""
        self._note("connect")
        self._check_bus()
        self._read_at = self._clock.now()
        self._connected = True

    def engage(self) -> None:
        """Hold the present pose."""
        self._note("engage")
        self._require(self._connected, "engage", "connect")
        self._goal = dict(self._present)
        self._engaged = True

    def get_observation(self) -> Observation:
        """The present pose, with noise; faults `dead_motor`, `lost_packets` and `bus_gone` show here."""
        self._require(self._connected, "get_observation", "connect")
        now = self._clock.now()
        self.calls.append(Call("get_observation", now))
        self._reads += 1
        self._fail_if_due()
        self._follow(now)
        noise = self._config.noise
        if not noise:
            return Observation(self._present, now)
        return Observation({key: value + self._dice.gauss(0.0, noise) for key, value in self._present.items()}, now)

    def send_action(self, action: Action) -> Action:
        """Take every joint to its goal, clamped to its range.

        Raises:
            DeviceError: not engaged, or a value is not finite.
            ContractError: the keys are not exactly the action features.
        """
        self._require(self._engaged, "send_action", "engage")
        self._check_bus()
        if action.keys() != self._features.keys():
            raise ContractError("the fake robot was sent other keys than its own", _diff(action, self._features))
        if not all(map(math.isfinite, action.values())):
            raise DeviceError("the fake robot was sent a value that is not finite", str(action))
        now = self._clock.now()
        self._follow(now)
        sent = {key: clamp(action[key], feature) for key, feature in self._features.items()}
        self._goal = sent
        self.calls.append(Call("send_action", now, sent))
        return dict(sent)

    def disengage(self) -> None:
        """Torque off; the arm stays where it is. With fault `bus_gone` it cannot be told so."""
        self._note("disengage")
        engaged, self._engaged, self._goal = self._engaged, False, None
        if engaged:
            self._check_bus()

    def disconnect(self, keep_torque: bool = False) -> None:
        """Close; never fails."""
        self._note("disconnect")
        self.holding = keep_torque and self._engaged
        self._engaged = self._connected = False
        self._goal = None

    def calibrate(self, ui: CalibrationUI) -> None:
        """Ask for the middle pose; a fake has nothing to measure."""
        self._note("calibrate")
        ui.wait_person("move every joint to the middle of its range")
        ui.say("the fake robot needs no calibration")

    def _note(self, name: str) -> None:
        self.calls.append(Call(name, self._clock.now()))

    def _follow(self, now: float) -> None:
        if self._goal is not None:
            lag = self._config.lag_s
            share = 1.0 - math.exp(-(now - self._read_at) / lag) if lag else 1.0
            self._present = {key: old + share * (self._goal[key] - old) for key, old in self._present.items()}
        self._read_at = now

    def _due(self, fault: str) -> bool:
        return self._config.fault == fault and self._reads > self._config.fault_after

    def _fail_if_due(self) -> None:
        self._check_bus()
        # One read in five is lost: enough to be seen in a second, too few in a row to be a dead motor.
        if self._due("dead_motor") or (self._due("lost_packets") and self._reads % 5 == 0):
            self._failures += 1
            motor = self._config.joints[0]
            raise BusError(f"motor {motor!r} of the fake robot did not answer", motor=motor, count=self._failures)
        self._failures = 0

    def _check_bus(self) -> None:
        absent = self._config.fault == "bus_gone" and self._config.fault_after == 0
        if absent or self._due("bus_gone"):
            self._failures += 1
            raise BusError("the fake robot's bus is gone", "fault bus_gone was asked for", count=self._failures)

    def _require(self, state: bool, method: str, first: str) -> None:
        if not state:
            raise DeviceError(
                f"{method} before {first}", "the fake robot keeps to the lifecycle", f"call {first}() first"
            )


def _diff(action: Action, features: Features) -> str:
    missing, unknown = sorted(features.keys() - action.keys()), sorted(action.keys() - features.keys())
    return f"missing: {', '.join(missing) or 'none'}; unknown: {', '.join(unknown) or 'none'}"
