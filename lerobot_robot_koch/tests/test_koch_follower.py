"""The follower over emulated servos: calibrated, engaged, moved; what it writes, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from koch_bench import MIDDLE, REACH, Bench, Person, calibration
from lerobot_core.calibration import load
from lerobot_core.errors import BusError, CalibrationError, ConfigError
from lerobot_core.types import MotorCalibration
from lerobot_robot_koch.config import KochFollowerConfig

KEYS = [f"{name}.pos" for name in MIDDLE]
GOAL = {
    "shoulder_pan.pos": 25.0,
    "shoulder_lift.pos": -60.0,
    "elbow_flex.pos": 99.5,
    "wrist_flex.pos": -99.5,
    "wrist_roll.pos": 0.0,
    "gripper.pos": 80.0,
}


def connected(arm: Bench, **options: Any) -> Any:
    robot = arm.follower(**options)
    robot.connect()
    return robot


def everything(arm: Bench) -> dict[str, bytes]:
    """Every byte a host could have changed."""
    kept = {}
    for name, servo in arm.servos.items():
        memory = servo.memory
        rows = (row for row in memory.table if row.writable)
        kept[name] = b"".join(memory.read(row.address, row.size) for row in rows)
    return kept


# --- calibrating ------------------------------------------------------------------------------------------------------


def test_without_a_calibration_it_can_be_named_but_not_connected(new_arm: Bench) -> None:
    robot = new_arm.follower(id="left")
    assert list(robot.action_features) == KEYS
    with pytest.raises(CalibrationError, match="not calibrated") as caught:
        robot.connect()
    assert "lr calibrate" in caught.value.fix


def test_calibrating_a_new_arm_writes_the_peers_file_and_the_motors(new_arm: Bench, tmp_path: Path) -> None:
    person = Person(new_arm)
    new_arm.follower(id="left", calibration_dir=tmp_path).calibrate(person)
    data = json.loads((tmp_path / "left.json").read_text())
    assert list(data) == list(MIDDLE)
    assert data["elbow_flex"] == {"id": 3, "drive_mode": 0, "homing_offset": 1947, "range_min": 1047, "range_max": 3047}
    assert load(tmp_path / "left.json") == calibration()
    for name, held in calibration().items():
        found = [new_arm.register(name, r) for r in ("Homing_Offset", "Min_Position_Limit", "Max_Position_Limit")]
        assert found == [held.homing_offset, held.range_min, held.range_max], name
    assert set(new_arm.registers("Torque_Enable").values()) == {0}
    new_arm.calibration = load(tmp_path / "left.json")
    robot = connected(new_arm)
    new_arm.turn(0)
    assert robot.get_observation()["shoulder_lift.pos"] == pytest.approx(0.0, abs=0.1)
    robot.disconnect()


def test_calibrating_again_after_full_turns_finds_the_same(arm: Bench, tmp_path: Path) -> None:
    for servo in arm.servos.values():
        servo.drive.position += 3 * 4096
    arm.follower(calibration_dir=tmp_path).calibrate(Person(arm))
    assert load(tmp_path / "None.json") == calibration()


# --- connect, engage, move, park ----------------------------------------------------------------------------------------


def test_connecting_and_observing_only_reads(arm: Bench) -> None:
    before = everything(arm)
    robot = connected(arm)
    robot.get_observation()
    robot.disconnect()
    assert everything(arm) == before


def test_engaging_sets_what_the_peer_sets(arm: Bench) -> None:
    robot = connected(arm)
    robot.engage()
    assert arm.registers("Operating_Mode") == {**dict.fromkeys(MIDDLE, 4), "gripper": 5}
    assert set(arm.registers("Drive_Mode").values()) == {0}
    assert set(arm.registers("Return_Delay_Time").values()) == {0}
    gains = [arm.register("elbow_flex", f"Position_{gain}_Gain") for gain in "PID"]
    assert gains == [1500, 0, 600]
    assert arm.register("shoulder_lift", "Position_P_Gain") == 800
    assert set(arm.registers("Torque_Enable").values()) == {1}
    robot.disconnect()
    assert set(arm.registers("Torque_Enable").values()) == {0}


def test_nothing_moves_when_torque_goes_on(arm: Bench) -> None:
    arm.turn(321)
    robot = connected(arm)
    robot.engage()
    arm.settle()
    assert {name: servo.drive.position for name, servo in arm.servos.items()} == {
        name: middle + 321 for name, middle in MIDDLE.items()
    }
    robot.disconnect()


def test_the_action_of_a_row_is_what_the_motors_were_told(arm: Bench) -> None:
    robot = connected(arm)
    robot.engage()
    sent = robot.send_action(GOAL)
    assert sent == pytest.approx(GOAL, abs=0.11)
    raw = robot.servos.to_raw(sent)
    assert raw == {
        "shoulder_pan": 2559,
        "shoulder_lift": 1447,
        "elbow_flex": 3042,
        "wrist_flex": 1052,
        "wrist_roll": 2047,
        "gripper": 2647,
    }
    # A sync write is not answered; reading back makes sure that it has arrived.
    robot.get_observation()
    assert arm.registers("Goal_Position") == raw
    arm.settle()
    assert robot.get_observation() == pytest.approx(sent, abs=1e-6)
    assert arm.servos["elbow_flex"].drive.position == 100 + (3042 - 2047)
    robot.disconnect()


def test_degrees_are_an_option(arm: Bench) -> None:
    robot = connected(arm, use_degrees=True)
    units = {key: feature.unit for key, feature in robot.action_features.items()}
    assert units == {**dict.fromkeys(KEYS, "deg"), "gripper.pos": "pct"}
    robot.engage()
    sent = robot.send_action({**dict.fromkeys(KEYS, 45.0)})
    assert sent["wrist_flex.pos"] == pytest.approx(45.0, abs=0.1)
    robot.get_observation()
    assert arm.register("wrist_flex", "Goal_Position") == 2047 + 511
    robot.disconnect()


# --- power and turns ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("share", [-0.9, -0.3, 0.4, 0.9])
def test_wherever_power_comes_back_a_joint_reads_the_same(arm: Bench, share: float) -> None:
    arm.turn(int(share * REACH))
    before = connected(arm)
    pose = dict(before.get_observation())
    before.disconnect()
    arm.power_cycle()
    robot = connected(arm)
    assert dict(robot.get_observation()) == pose
    robot.engage()
    arm.settle()
    assert dict(robot.get_observation()) == pose
    robot.send_action({**pose, "elbow_flex.pos": 0.0, "wrist_flex.pos": 0.0})
    robot.get_observation()
    arm.settle()
    seen = robot.get_observation()
    assert (seen["elbow_flex.pos"], seen["wrist_flex.pos"]) == pytest.approx((0.0, 0.0), abs=0.1)
    assert abs(arm.servos["elbow_flex"].drive.position - MIDDLE["elbow_flex"]) % 4096 <= 1
    robot.disconnect()


# --- what it refuses -------------------------------------------------------------------------------------------------------


def test_the_calibration_of_another_arm_is_refused(arm: Bench) -> None:
    held = calibration()["gripper"]
    arm.calibration = {**calibration(), "gripper": MotorCalibration(6, 0, held.homing_offset + 50, 900, 3000)}
    with pytest.raises(CalibrationError, match="gripper Homing_Offset -953, file -903"):
        connected(arm)


def test_a_restored_calibration_is_written_at_engage(arm: Bench) -> None:
    held = calibration()["gripper"]
    arm.calibration = {**calibration(), "gripper": MotorCalibration(6, 0, held.homing_offset + 50, 900, 3000)}
    robot = connected(arm, restore_calibration=True)
    before = robot.get_observation()["gripper.pos"]
    robot.engage()
    assert arm.register("gripper", "Homing_Offset") == held.homing_offset + 50
    assert robot.get_observation()["gripper.pos"] == before
    robot.disconnect()


@pytest.mark.parametrize(("register", "value"), [("Drive_Mode", 1), ("Operating_Mode", 3)])
def test_motors_that_count_otherwise_are_refused(arm: Bench, register: str, value: int) -> None:
    arm.servos["elbow_flex"].memory.burn(register, value)
    with pytest.raises(CalibrationError, match=rf"elbow_flex {register} {value}") as caught:
        connected(arm, restore_calibration=True)
    assert "lr calibrate" in caught.value.fix


def test_a_joint_past_its_end_is_refused(arm: Bench) -> None:
    arm.servos["wrist_flex"].drive.position += REACH + 300
    with pytest.raises(CalibrationError, match="'wrist_flex' reads"):
        connected(arm)


def test_a_leader_on_the_followers_port_is_refused(hand: Bench) -> None:
    with pytest.raises(BusError, match=r"motor 'shoulder_pan' \(id 1\) is a xl330-m077") as caught:
        hand.follower().connect()
    assert caught.value.why == "expected: xl330-m288, xl430-w250"


@pytest.mark.parametrize(
    ("options", "fix"),
    [({"max_relative_target": 5.0}, "--robot.limits"), ({"disable_torque_on_disconnect": False}, "--on-exit hold")],
)
def test_options_that_mean_something_else_here_say_what_to_type(options: dict[str, Any], fix: str) -> None:
    with pytest.raises(ConfigError) as caught:
        KochFollowerConfig(port="x", **options)
    assert fix in caught.value.fix


# --- faults under way -------------------------------------------------------------------------------------------------------


def engaged(arm: Bench) -> Any:
    robot = connected(arm)
    robot.engage()
    robot.get_observation()
    return robot


def test_a_motor_that_shuts_itself_down_is_named_with_its_reason(arm: Bench) -> None:
    robot = engaged(arm)
    arm.rig.fault("overload", 0.0, motor="gripper")
    for _ in range(2):
        with pytest.raises(BusError, match="gripper went limp") as caught:
            robot.get_observation()
        assert (caught.value.motor, caught.value.why) == ("gripper", "gripper reports overload")
    robot.disconnect()
    with pytest.raises(BusError, match="refuses: Torque_Enable = 1"):
        engaged(arm)


def test_a_supply_that_is_too_high_is_a_flag(arm: Bench) -> None:
    robot = engaged(arm)
    arm.servos["wrist_roll"].supply(8.0)
    assert robot.get_observation().flags == {"voltage:wrist_roll"}
    robot.disconnect()


def test_a_motor_that_is_gone_is_named(arm: Bench) -> None:
    robot = engaged(arm)
    arm.rig.fault("gone", 0.0, motor="wrist_flex")
    with pytest.raises(BusError, match="motor 'wrist_flex'") as caught:
        robot.get_observation()
    assert caught.value.motor == "wrist_flex"
    with pytest.raises(BusError, match="torque could not be switched off on wrist_flex"):
        robot.disconnect()
    assert {name for name, held in arm.registers("Torque_Enable").items() if held} == {"wrist_flex"}


def test_a_motor_that_restarts_is_noticed(arm: Bench) -> None:
    robot = engaged(arm)
    arm.rig.fault("gone", 0.0, motor="shoulder_lift")
    with pytest.raises(BusError):
        robot.get_observation()
    arm.servos["shoulder_lift"].restart()
    arm.rig.heal()
    with pytest.raises(BusError, match="shoulder_lift went limp"):
        robot.get_observation()
    robot.disconnect()


def test_lost_and_corrupt_answers_cost_a_retry(arm: Bench) -> None:
    robot = engaged(arm)
    pose = robot.get_observation()
    arm.rig.fault("lost", 0.0, motor="elbow_flex", count=1)
    assert robot.get_observation() == pose
    arm.rig.fault("corrupt", 0.0, motor="shoulder_pan", count=1)
    assert robot.get_observation() == pose
    robot.disconnect()
