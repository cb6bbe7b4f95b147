"""A follower arm: reads joints, moves joints."""

from __future__ import annotations

from typing import Any

from ..contracts.robot import CalibrationUI
from ..errors import BusError, DeviceError
from ..specs import Parts
from ..types import Action, Features, Observation
from .calibrate import calibrate
from .profile import ArmProfile, FollowerConfig
from .servos import Servos


class FollowerArm:
    """The Robot contract over `Servos`.

    Args:
        profile: what kind of arm.
        config: its options.
        parts: from the run.
    """

    def __init__(self, profile: ArmProfile, config: FollowerConfig, parts: Parts) -> None:
        self.servos = Servos(profile, config, parts, "robot")
        self._config, self._clock = config, parts.clock
        self._connected = self._engaged = self._was_silent = False
        self._complaints: dict[str, tuple[str, ...]] = {}

    @property
    def observation_features(self) -> Features:
        """`<motor>.pos` with calibrated ranges."""
        return self.servos.features()

    @property
    def action_features(self) -> Features:
        """As observed, with max_rate."""
        return self.servos.features()

    @property
    def is_connected(self) -> bool:
        """Between `connect` and `disconnect`."""
        return self._connected

    @property
    def is_engaged(self) -> bool:
        """Between `engage` and `disengage`."""
        return self._engaged

    @property
    def park_pose(self) -> Action | None:
        """As configured."""
        return dict(self._config.park_pose) if self._config.park_pose else None

    def connect(self) -> None:
        """Open the bus and compare calibration and pose; nothing is written."""
        self.servos.connect()
        self._connected, self._was_silent = True, False

    def engage(self) -> None:
        """Configure, set the goal to the present pose, torque on; torque off again if any of it fails."""
        if not self._connected:
            raise _out_of_order("engage", "connect")
        self._engaged = True
        try:
            self.servos.configure()
            self.servos.torque_on()
        except BaseException:
            self.disengage()
            raise

    def get_observation(self) -> Observation:
        """One sync read of all positions; what motors complain of becomes flags (`"overload:gripper"`).

        Raises:
            BusError: a motor keeps silent; or it was silent or complains, and has let go.
        """
        if not self._connected:
            raise _out_of_order("get_observation", "connect")
        try:
            positions = self.servos.positions()
            complaints = dict(self.servos.bus.complaints)
            doubtful = self._engaged and (self._was_silent or complaints != self._complaints)
            if doubtful and (limp := self.servos.lost_power()):
                raise limp
        except BusError:
            self._was_silent = True
            raise
        self._was_silent, self._complaints = False, complaints
        flags = {f"{word}:{name}" for name, words in complaints.items() for word in words}
        return Observation(positions, self._clock.now(), flags=flags)

    def send_action(self, action: Action) -> Action:
        """One sync write of all goals; returns what the whole steps mean in units."""
        if not self._engaged:
            raise _out_of_order("send_action", "engage")
        raw = self.servos.to_raw(action)
        self.servos.go_to(raw)
        return self.servos.to_units(raw)

    def disengage(self) -> None:
        """Torque off on every motor."""
        if self._engaged:
            self._engaged = False
            self.servos.torque_off()

    def let_go(self) -> None:
        """Torque off, also when whoever had the arm last left it stiff; connected."""
        self._engaged = False
        self.servos.torque_off()

    def disconnect(self, keep_torque: bool = False) -> None:
        """Close the bus; torque goes off first unless the arm is to keep holding."""
        try:
            if self._connected and not keep_torque:
                self.disengage()
        finally:
            self._connected = self._engaged = False
            self.servos.close()

    def calibrate(self, ui: CalibrationUI) -> None:
        """Measure offsets and ranges with a person's help, write them to the motors and to the file."""
        calibrate(self.servos, ui)

    def setup_motors(self, ui: CalibrationUI) -> None:
        """Give every motor its id with a person's help."""
        self.servos.setup_motors(ui)

    def health(self) -> list[dict[str, Any]]:
        """A row a motor, for `lr doctor`; connected."""
        return self.servos.health()


def _out_of_order(method: str, first: str) -> DeviceError:
    return DeviceError(f"{method} before {first}", fix=f"call {first}() first")
