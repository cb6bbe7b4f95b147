"""Motors that count through full turns, settings that decide how positions count, and reads that nobody waits for."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
from arm_bench import CALIBRATION, MOTORS, PROFILE, BenchBus, Person, follower
from hypothesis import given
from hypothesis import strategies as st
from lerobot_core.arm.profile import Setting
from lerobot_core.calibration import load
from lerobot_core.errors import BusError, CalibrationError

TURNING = dataclasses.replace(PROFILE, many_turns=True)
COUNTING = dataclasses.replace(PROFILE, settings=(Setting("Drive_Mode", 1, ("lift",), eeprom=True, counts=True),))
TURN = 4096


def turned(turns: dict[str, int]) -> BenchBus:
    """The arm of the bench, its motors so many turns away."""
    bus = BenchBus()
    for name, count in turns.items():
        bus.shaft[name] += count * TURN
    return bus


@given(st.fixed_dictionaries({name: st.integers(-3, 3) for name in MOTORS}), st.integers(-500, 500))
def test_a_joint_is_where_it_is_whatever_turn_its_motor_counts(turns: dict[str, int], away: int) -> None:
    plain, bus = BenchBus(), turned(turns)
    for each in (plain, bus):
        each.shaft["lift"] += away
    same, robot = follower(plain), follower(bus, profile=TURNING)
    for each in (same, robot):
        each.connect()
        each.engage()
    assert robot.get_observation() == same.get_observation()
    goal = {"pan.pos": 10.0, "lift.pos": -20.0, "gripper.pos": 30.0}
    assert robot.send_action(goal) == same.send_action(goal)
    assert bus.shaft == {name: plain.shaft[name] + turns[name] * TURN for name in MOTORS}


def test_a_restored_calibration_keeps_the_turn() -> None:
    bus = turned({"pan": 2, "lift": -1})
    bus.registers["pan"]["Homing_Offset"] += 70
    robot = follower(bus, profile=TURNING, restore_calibration=True)
    robot.connect()
    before = robot.get_observation()
    robot.engage()
    assert robot.get_observation() == before
    assert bus.registers["pan"]["Homing_Offset"] == CALIBRATION["pan"].homing_offset


def test_calibrating_forgets_full_turns(tmp_path: Path) -> None:
    def hands(what: str) -> None:
        bus.shaft = dict(zip(MOTORS, (5000, -1000, 2500), strict=True))

    def move(steps: int) -> Any:
        return lambda: bus.shaft.update({name: shaft + steps for name, shaft in bus.shaft.items()})

    bus = BenchBus()
    person = Person(hands, [move(-800), move(1600)])
    follower(bus, None, TURNING, calibration_dir=tmp_path).calibrate(person)
    found = load(tmp_path / "None.json")
    assert found is not None
    assert [held.homing_offset for held in found.values()] == [5000 - TURN - 2047, TURN - 1000 - 2047, 2500 - 2047]
    assert {(held.range_min, held.range_max) for held in found.values()} == {(2047 - 800, 2047 + 800)}


def test_motors_that_count_otherwise_are_refused_even_to_be_restored() -> None:
    bus = BenchBus()
    robot = follower(bus, profile=COUNTING, restore_calibration=True)
    with pytest.raises(CalibrationError, match="lift Drive_Mode 0, not 1") as caught:
        robot.connect()
    assert "lr calibrate" in caught.value.fix
    bus.registers["lift"]["Drive_Mode"] = 1
    robot.connect()


def test_what_decides_how_positions_count_is_set_before_homing(tmp_path: Path) -> None:
    bus = BenchBus()
    move = [lambda: bus.shaft.update({name: shaft + 500 for name, shaft in bus.shaft.items()})]
    follower(bus, None, COUNTING, calibration_dir=tmp_path).calibrate(Person(moves=move))
    written = [(write.register, write.motor) for write in bus.writes]
    assert written.index(("Drive_Mode", "lift")) < written.index(("Homing_Offset", "pan"))


def test_a_stall_at_connect_and_engage_costs_a_look() -> None:
    bus = BenchBus()
    robot = follower(bus)
    bus.silent_for["lift"] = 4
    robot.connect()
    bus.silent_for["lift"] = 4
    with pytest.raises(BusError, match="lift"):
        robot.get_observation()
    bus.silent_for["lift"] = 5
    robot.disconnect()
    with pytest.raises(BusError, match="lift"):
        robot.connect()


def test_a_motor_that_complains_and_lets_go_ends_the_run() -> None:
    bus = BenchBus()
    robot = follower(bus)
    robot.connect()
    robot.engage()
    robot.get_observation()
    bus.unwell["gripper"] = ("overload",)
    assert robot.get_observation().flags == {"overload:gripper"}
    bus.unwell["gripper"] = ("overload", "overheating")
    bus.registers["gripper"]["Torque_Enable"] = 0
    for _ in range(2):
        with pytest.raises(BusError, match="gripper went limp") as caught:
            robot.get_observation()
        assert caught.value.why == "gripper reports overload, overheating"
