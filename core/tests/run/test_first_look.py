"""The first reading of an arm, before anything moves."""

from __future__ import annotations

import pytest
from lerobot_core.errors import BusError
from lerobot_core.run.patience import BUS_TOLERANCE_S, first_look
from lerobot_core.types import Observation
from lerobot_core.virtual_clock import VirtualClock


class Deaf:
    """A robot that answers after so many silences."""

    def __init__(self, silences: float, motor: str | None = "elbow_flex") -> None:
        self.silences, self.motor = silences, motor

    def get_observation(self) -> Observation:
        self.silences -= 1
        if self.silences >= 0:
            raise BusError("silent", motor=self.motor)
        return Observation({"elbow_flex.pos": 1.0})


def test_lost_packets_are_asked_for_again() -> None:
    clock = VirtualClock()
    assert first_look(Deaf(3), clock)["elbow_flex.pos"] == 1.0
    assert 0 < clock.now() < BUS_TOLERANCE_S


@pytest.mark.parametrize(("motor", "seconds"), [("elbow_flex", BUS_TOLERANCE_S), (None, 0.0)])
def test_a_dead_motor_and_a_bus_that_is_gone_are_told(motor: str | None, seconds: float) -> None:
    clock = VirtualClock()
    with pytest.raises(BusError, match="silent"):
        first_look(Deaf(float("inf"), motor), clock)
    assert seconds <= clock.now() <= seconds + 0.1
