"""The template robot. It stands still in memory: replace the lines marked HERE by your device."""

from __future__ import annotations

from lerobot_core.clock import Clock
from lerobot_core.contracts.robot import CalibrationUI
from lerobot_core.errors import ContractError, DeviceError
from lerobot_core.types import Action, Feature, Features, Observation

from .config import TemplateRobotConfig

JOINTS: Features = {
    "shoulder.pos": Feature(unit="deg", low=-90.0, high=90.0, max_rate=120.0),
    "gripper.pos": Feature(unit="pct", low=0.0, high=100.0, max_rate=200.0),
}


class TemplateRobot:
    """connect = may read, engage = may move; every wait goes through the clock."""

    def __init__(self, config: TemplateRobotConfig, clock: Clock) -> None:
        self._config, self._clock = config, clock
        self._position: Action = {key: 0.0 for key in JOINTS}
        self._connected = self._engaged = False

    @property
    def observation_features(self) -> Features:
        """Known before `connect`; cameras belong to the run and not to the robot."""
        return dict(JOINTS)

    @property
    def action_features(self) -> Features:
        """Units, ranges and speeds: the safety filter keeps to them."""
        return dict(JOINTS)

    @property
    def is_connected(self) -> bool:
        """True between `connect` and `disconnect`."""
        return self._connected

    @property
    def is_engaged(self) -> bool:
        """True while it may move."""
        return self._engaged

    @property
    def park_pose(self) -> Action | None:
        """Where to leave the arm; None means where it was at engage."""
        return self._config.park_pose

    def connect(self) -> None:
        """Open the device and check it, reading only; close it again before raising DeviceError."""
        self._connected = True  # HERE: open self._config.port

    def engage(self) -> None:
        """Torque on."""
        if not self._connected:
            raise DeviceError("engage before connect")
        self._engaged = True  # HERE: configure the motors, torque on

    def get_observation(self) -> Observation:
        """Every observation feature, now."""
        if not self._connected:
            raise DeviceError("get_observation before connect")
        return Observation(self._position, self._clock.now())  # HERE: read the motors

    def send_action(self, action: Action) -> Action:
        """Command every joint; returns what was really sent."""
        if not self._engaged:
            raise DeviceError("send_action before engage")
        if action.keys() != JOINTS.keys():
            raise ContractError(f"the template robot takes {', '.join(JOINTS)}", f"it was sent {', '.join(action)}")
        sent = {key: _clamp(action[key], feature) for key, feature in JOINTS.items()}
        self._position = sent  # HERE: write the motors
        return dict(sent)

    def disengage(self) -> None:
        """Torque off."""
        self._engaged = False  # HERE

    def disconnect(self, keep_torque: bool = False) -> None:
        """Disengage, unless the arm is to keep holding itself, and close; also after a failed `connect`."""
        if not keep_torque:
            self.disengage()
        self._engaged = self._connected = False  # HERE: close the port

    def calibrate(self, ui: CalibrationUI) -> None:
        """Measure the joints' ranges with a person's help."""
        ui.say("the template robot needs no calibration")


def _clamp(value: float, feature: Feature) -> float:
    assert feature.low is not None
    assert feature.high is not None
    return min(max(value, feature.low), feature.high)
