"""The acme teleoperator. It points to one pose: replace the lines marked HERE by your device."""

from __future__ import annotations

from lerobot_core.clock import Clock
from lerobot_core.errors import DeviceError
from lerobot_core.types import Action, Feature, Features

from .config import AcmeTeleoperatorConfig

JOINTS: Features = {
    "shoulder.pos": Feature(unit="deg", low=-90.0, high=90.0),
    "gripper.pos": Feature(unit="pct", low=0.0, high=100.0),
}


class AcmeTeleoperator:
    """A passive one: nothing on it can be driven."""

    actuated = False

    def __init__(self, config: AcmeTeleoperatorConfig, clock: Clock) -> None:
        self._config, self._clock = config, clock
        self._connected = False

    @property
    def action_features(self) -> Features:
        """Must equal the robot's action features by name and unit."""
        return dict(JOINTS)

    @property
    def is_connected(self) -> bool:
        """True between `connect` and `disconnect`."""
        return self._connected

    def connect(self) -> None:
        """Open the device, reading only."""
        self._connected = True  # HERE: open self._config.port

    def get_action(self) -> Action:
        """Where the person wants the robot now."""
        if not self._connected:
            raise DeviceError("get_action before connect")
        return {key: 0.0 for key in JOINTS}  # HERE: read it

    def feedback(self, action: Action) -> None:
        """What the robot got; an actuated, engaged one would move there."""

    def engage(self) -> None:
        """A passive one has no torque."""

    def release(self) -> None:
        """A passive one has no torque."""

    def disconnect(self) -> None:
        """Close; also when it was never opened."""
        self._connected = False  # HERE
