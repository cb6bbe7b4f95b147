"""Telling a few lost packets from a device that is dead."""

from __future__ import annotations

from ..clock import Clock
from ..contracts.robot import Robot
from ..errors import BusError
from ..types import Observation

BUS_TOLERANCE_S = 0.5
"""A device that cannot be read for this long is dead; less is a flagged row, or a look missed while parking."""


class Patience:
    """Runs out when a device has been silent for `BUS_TOLERANCE_S`; any answer restores it."""

    def __init__(self) -> None:
        self._since: float | None = None

    def heard(self) -> None:
        """The device has answered."""
        self._since = None

    def lasts(self, now: float) -> bool:
        """It was silent once more at `now`; False when that is enough."""
        self._since = now if self._since is None else self._since
        return now - self._since < BUS_TOLERANCE_S


RETRY_S = 0.02


def first_look(robot: Robot, clock: Clock) -> Observation:
    """Where the arm is before it moves; lost packets are borne as they are in the loop.

    Raises:
        DeviceError: it stays silent, or the bus is gone.
    """
    patience = Patience()
    while True:
        try:
            return robot.get_observation()
        except BusError as error:
            if error.motor is None or not patience.lasts(clock.now()):
                raise
        clock.sleep_until(clock.now() + RETRY_S)
