"""A leader arm: limp in a person's hand, stiff while it follows the robot."""

from __future__ import annotations

import pytest
from arm_bench import BenchBus, leader
from lerobot_core.errors import DeviceError


@pytest.fixture
def bus() -> BenchBus:
    return BenchBus()


def test_its_joints_are_the_action(bus: BenchBus) -> None:
    arm = leader(bus)
    with pytest.raises(DeviceError, match="connect"):
        arm.get_action()
    arm.connect()
    assert arm.get_action()["lift.pos"] == 0.0
    assert bus.writes == []


def test_release_lets_go_of_an_arm_that_somebody_left_stiff(bus: BenchBus) -> None:
    for registers in bus.registers.values():
        registers["Torque_Enable"] = 1
    arm = leader(bus)
    arm.connect()
    arm.release()
    assert bus.torque == [0, 0, 0]
    assert bus.registers["pan"]["Acceleration"] == 254


def test_it_follows_only_while_engaged(bus: BenchBus) -> None:
    arm = leader(bus)
    arm.connect()
    shown = {"pan.pos": 10.0, "lift.pos": 10.0, "gripper.pos": 10.0}
    arm.feedback(shown)
    assert bus.writes == []
    arm.engage()
    arm.feedback(shown)
    assert bus.torque == [1, 1, 1]
    assert arm.get_action()["pan.pos"] == pytest.approx(10.0, abs=0.1)
    arm.release()
    assert bus.torque == [0, 0, 0]


def test_it_goes_stiff_without_waiting_for_each_motor(bus: BenchBus, monkeypatch: pytest.MonkeyPatch) -> None:
    """A strategy engages it within a tick: six motors that answer one by one would take a whole period."""
    arm = leader(bus)
    arm.connect()
    arm.release()
    monkeypatch.setattr(bus, "write", lambda *_, **__: pytest.fail("a write that a motor has to confirm"))
    arm.engage()
    assert bus.torque == [1, 1, 1]


def test_disconnecting_releases(bus: BenchBus) -> None:
    arm = leader(bus)
    arm.connect()
    arm.engage()
    arm.disconnect()
    assert bus.torque == [0, 0, 0]
    assert not bus.is_open
