"""A leader arm: the person moves it, its joints are the action."""

from __future__ import annotations

from typing import Any

from ..contracts.robot import CalibrationUI
from ..errors import DeviceError
from ..specs import Parts
from ..types import Action, Features
from .calibrate import calibrate
from .profile import ArmProfile, LeaderConfig
from .servos import Servos


class LeaderArm:
    """The Teleoperator contract over `Servos`.

    Args:
        profile: what kind of arm.
        config: its options.
        parts: from the run.
        actuated: its motors are strong enough to follow the robot.
    """

    def __init__(self, profile: ArmProfile, config: LeaderConfig, parts: Parts, actuated: bool = True) -> None:
        self.servos = Servos(profile, config, parts, "teleoperator")
        self.actuated = actuated
        self._connected = self._engaged = self._configured = False

    @property
    def action_features(self) -> Features:
        """`<motor>.pos`; without max_rate: a person may be as fast as they like, the robot's filter decides."""
        return self.servos.features()

    @property
    def is_connected(self) -> bool:
        """Between `connect` and `disconnect`."""
        return self._connected

    def connect(self) -> None:
        """Open the bus and compare calibration and pose; nothing is written."""
        self.servos.connect()
        self._connected = True

    def get_action(self) -> Action:
        """One sync read of all positions."""
        if not self._connected:
            raise DeviceError("get_action before connect", fix="call connect() first")
        return self.servos.positions()

    def feedback(self, action: Action) -> None:
        """While engaged, follow the robot."""
        if self._engaged:
            self.servos.go_to(self.servos.to_raw(action))

    def engage(self) -> None:
        """Configure and hold, so that `feedback` moves it; a strategy calls this within a tick, so it is quick."""
        if not self.actuated or self._engaged:
            return
        self._configure()
        self._engaged = True
        try:
            self.servos.torque_on(confirmed=False)
        except BaseException:
            self.release()
            raise

    def release(self) -> None:
        """Torque off: the person moves it, also when whoever had it last left it stiff."""
        if self._engaged:
            self._engaged = False
            self.servos.torque_off()
        else:
            self._configure()

    def disconnect(self) -> None:
        """Release and close."""
        try:
            if self._connected and self._engaged:
                self.release()
        finally:
            self._connected = self._engaged = self._configured = False
            self.servos.close()

    def calibrate(self, ui: CalibrationUI) -> None:
        """Measure offsets and ranges with a person's help."""
        calibrate(self.servos, ui)

    def setup_motors(self, ui: CalibrationUI) -> None:
        """Give every motor its id with a person's help."""
        self.servos.setup_motors(ui)

    def health(self) -> list[dict[str, Any]]:
        """A row a motor, for `lr doctor`; connected."""
        return self.servos.health()

    def _configure(self) -> None:
        if self._connected and not self._configured:
            self.servos.torque_off()
            self.servos.configure()
            self._configured = True
