"""Robot: something with joints that can be read and moved."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, runtime_checkable

from ..types import Action, Features, Observation


class CalibrationUI(Protocol):
    """How a device talks to the person calibrating it."""

    def say(self, text: str) -> None:
        """Show one line."""

    def wait_person(self, what: str) -> None:
        """Return when the person did `what`; raises UserError where no person can answer (a pipe, CI)."""

    def watch_person(self, what: str, look: Callable[[], None]) -> None:
        """Call `look` about 50 times a second until the person says that `what` is done."""


@runtime_checkable
class Robot(Protocol):
    """The lifecycle is connect (may read) -> engage (may move) -> disengage -> disconnect.

    Every method is called from the loop's thread only.
    """

    @property
    def observation_features(self) -> Features:
        """What `get_observation` returns, known before `connect`; cameras are not the robot's."""

    @property
    def action_features(self) -> Features:
        """What `send_action` takes, with units, ranges and max_rate; known before `connect`."""

    @property
    def is_connected(self) -> bool:
        """True between `connect` and `disconnect`."""

    @property
    def is_engaged(self) -> bool:
        """True while the robot may move."""

    @property
    def park_pose(self) -> Action | None:
        """Where to leave the arm; None means the pose at engage."""

    def connect(self) -> None:
        """Open the device and check it, reading only: no torque, no register changed.

        Raises:
            DeviceError: it is not there, not ours or not calibrated. The device is closed again before raising.
        """

    def engage(self) -> None:
        """Configure and switch torque on; from now on the robot may move."""

    def get_observation(self) -> Observation:
        """Read every observation feature now.

        May retry within a third of the period.

        Raises:
            BusError: naming the motor, with the number of failures in a row.
        """

    def send_action(self, action: Action) -> Action:
        """Command every action feature and return what was really sent, after clamping to device steps."""

    def disengage(self) -> None:
        """Torque off. Idempotent."""

    def disconnect(self, keep_torque: bool = False) -> None:
        """Disengage (unless the arm is to keep holding itself) and close. Idempotent, also after a failed `connect`."""

    def calibrate(self, ui: CalibrationUI) -> None:
        """Measure homing offsets and ranges with a person's help and save them."""
