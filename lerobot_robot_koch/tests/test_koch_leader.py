"""The leader over emulated servos: limp, read, its gripper on a spring."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from koch_bench import MIDDLE, REACH, Bench, Person, calibration
from lerobot_core.calibration import load
from lerobot_core.errors import CalibrationError


def test_calibrating_turns_the_elbows_count_round(new_hand: Bench, tmp_path: Path) -> None:
    new_hand.leader(id="hand", calibration_dir=tmp_path).calibrate(Person(new_hand))
    data = json.loads((tmp_path / "hand.json").read_text())
    assert {name: values["drive_mode"] for name, values in data.items()} == {
        **dict.fromkeys(MIDDLE, 0),
        "elbow_flex": 1,
    }
    assert load(tmp_path / "hand.json") == calibration(("elbow_flex",))
    assert new_hand.registers("Drive_Mode") == {**dict.fromkeys(MIDDLE, 0), "elbow_flex": 1}


def test_its_pose_is_the_action_the_elbow_mirrored(hand: Bench) -> None:
    leader = hand.leader()
    leader.connect()
    hand.turn(REACH // 2)
    action = leader.get_action()
    assert action["wrist_flex.pos"] == pytest.approx(50.0)
    assert action["elbow_flex.pos"] == pytest.approx(-50.0)
    assert action["gripper.pos"] == pytest.approx(75.0)
    leader.disconnect()


def test_leader_and_follower_speak_of_the_same_keys_and_units(hand: Bench, arm: Bench) -> None:
    said = {key: feature.unit for key, feature in hand.leader().action_features.items()}
    assert said == {key: feature.unit for key, feature in arm.follower().action_features.items()}


def test_engaged_only_the_gripper_holds_and_springs_back(hand: Bench) -> None:
    leader = hand.leader(gripper_open_pos=40.0)
    assert not leader.actuated
    leader.connect()
    assert set(hand.registers("Torque_Enable").values()) == {0}
    leader.engage()
    assert hand.registers("Torque_Enable") == {**dict.fromkeys(MIDDLE, 0), "gripper": 1}
    assert hand.registers("Operating_Mode") == {**dict.fromkeys(MIDDLE, 4), "gripper": 5}
    before = leader.get_action()
    assert hand.register("gripper", "Goal_Position") == 1047 + 800
    hand.settle()
    after = leader.get_action()
    assert after == pytest.approx({**before, "gripper.pos": 40.0}, abs=0.1)
    leader.feedback(dict.fromkeys(after, 0.0))
    assert leader.get_action() == after
    assert hand.register("gripper", "Goal_Position") == 1047 + 800
    leader.release()
    assert set(hand.registers("Torque_Enable").values()) == {0}
    leader.disconnect()


def test_a_stiff_arm_is_limp_once_the_leader_is_engaged(hand: Bench) -> None:
    for servo in hand.servos.values():
        servo.write(64, b"\1")
    leader = hand.leader()
    leader.connect()
    leader.engage()
    assert hand.registers("Torque_Enable") == {**dict.fromkeys(MIDDLE, 0), "gripper": 1}
    leader.disconnect()
    assert set(hand.registers("Torque_Enable").values()) == {0}


def test_an_elbow_that_counts_the_other_way_is_refused(hand: Bench) -> None:
    hand.servos["elbow_flex"].memory.burn("Drive_Mode", 0)
    with pytest.raises(CalibrationError, match="elbow_flex Drive_Mode 0, not 1"):
        hand.leader().connect()
