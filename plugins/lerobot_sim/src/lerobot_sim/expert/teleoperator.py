"""The scripted person as a teleoperator: what a leader arm in her hands would read."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from lerobot_core.errors import DeviceError
from lerobot_core.types import Action, Feature, Features

from ..config import ScriptedConfig
from ..physics.arm import JOINTS
from .person import Person

if TYPE_CHECKING:
    from lerobot_core.contracts.world import World

    from .kinematics import Angles

GRIPPER = "gripper"


class ScriptedTeleoperator:
    """Puts the cube in the bin, attempt after attempt. It alone asks the world for the truth.

    Args:
        config: the person.
        world: where she works; None is refused when it connects.
    """

    def __init__(self, config: ScriptedConfig, world: World | None) -> None:
        self._config, self._world = config, world
        self._person: Person | None = None

    @property
    def action_features(self) -> Features:
        """The SO-100's: degrees, the gripper in percent."""
        return {f"{joint.name}.pos": _feature(joint.name, math.degrees(joint.limit)) for joint in JOINTS}

    @property
    def is_connected(self) -> bool:
        """True between `connect` and `disconnect`."""
        return self._person is not None

    @property
    def actuated(self) -> bool:
        """Nobody moves her hands."""
        return False

    def connect(self) -> None:
        """Begin to look.

        Raises:
            DeviceError: there is no world to work in.
        """
        if self._world is None:
            raise DeviceError(
                "teleoperator 'scripted' works in a virtual world only",
                "this robot is not simulated",
                "use --robot virtual_so100, or --robot.port sim",
            )
        self._person = Person(self._config.seed, self._config.clumsiness, self._config.wander)

    def get_action(self) -> Action:
        """Where she wants the arm now.

        Raises:
            DeviceError: not connected, or the world has ended.
        """
        if self._person is None or self._world is None:
            raise DeviceError("teleoperator 'scripted' is not connected")
        return to_action(self._person.act(self._world.truth()))

    def feedback(self, action: Action) -> None:
        """She sees the arm itself."""

    def engage(self) -> None:
        """Nothing to switch on."""

    def release(self) -> None:
        """Nothing to switch off."""

    def disconnect(self) -> None:
        """Stop looking. Idempotent."""
        self._person = None


def to_action(angles: Angles) -> Action:
    """Joint angles as the robot's keys and units, within its range."""
    return {f"{joint.name}.pos": _value(joint.name, angles[joint.name], math.degrees(joint.limit)) for joint in JOINTS}


def _value(name: str, angle: float, limit: float) -> float:
    inside = min(max(angle, -limit), limit)
    return (inside + limit) / (2 * limit) * 100 if name == GRIPPER else inside


def _feature(name: str, limit: float) -> Feature:
    if name == GRIPPER:
        return Feature(unit="pct", low=0.0, high=100.0)
    return Feature(unit="deg", low=-limit, high=limit)
