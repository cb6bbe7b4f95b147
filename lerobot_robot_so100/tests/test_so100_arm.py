"""The arm on the virtual bus: settings as LeRobot writes them, the observed round trip, and every fault by its name."""

from __future__ import annotations

import json
import struct
import time
from pathlib import Path
from typing import Any

import pytest
from bench import CALIBRATION, build, follower, make_bus
from lerobot_core.clock import RealClock
from lerobot_core.contracts.bus import Motor
from lerobot_core.errors import BusError, CalibrationError, ConfigError
from lerobot_robot_so100.config import SO100FollowerConfig
from lerobot_robot_so100.profile import follower as follower_profile
from lerobot_sim.client import SimWorld


class Hands:
    """The person at the virtual arm."""

    def __init__(self, world: SimWorld) -> None:
        self.world = world
        self.said: list[str] = []

    def say(self, text: str) -> None:
        self.said.append(text)

    def wait_person(self, what: str) -> None:
        time.sleep(self.world.hands("middle"))

    def watch_person(self, what: str, look: Any) -> None:
        end = time.perf_counter() + self.world.hands("ranges")
        while time.perf_counter() < end:
            look()


def registers(arm: Any, name: str) -> dict[str, int]:
    return dict(arm.servos.bus.sync_read(name))


def last_goals(world: SimWorld) -> dict[str, int]:
    goals: dict[str, int] = {}
    for entry in world.log():
        goals |= entry["goals"]
    return goals


# --- what is told ---------------------------------------------------------------------------------------------------------


class TestWellArm:
    """Nothing here leaves the world another than it was."""

    def test_engaging_writes_what_lerobot_writes(self, world: SimWorld) -> None:
        arm = follower()
        arm.connect()
        arm.engage()
        expected = {
            "Return_Delay_Time": 0, "Maximum_Acceleration": 254, "Acceleration": 254, "Operating_Mode": 0,
            "P_Coefficient": 16, "I_Coefficient": 0, "D_Coefficient": 32, "Torque_Enable": 1, "Lock": 1,
        }  # fmt: skip
        for name, value in expected.items():
            assert set(registers(arm, name).values()) == {value}, name
        assert all(not phase & 0x10 for phase in registers(arm, "Phase").values())
        gripper = {"Max_Torque_Limit": 500, "Protection_Current": 250, "Overload_Torque": 25}
        for name, value in gripper.items():
            held = registers(arm, name)
            assert held.pop("gripper") == value
            assert value not in held.values()
        arm.disconnect()

    def test_a_rows_action_is_the_goal_that_the_motors_got(self, world: SimWorld) -> None:
        arm = follower()
        arm.connect()
        arm.engage()
        start = arm.get_observation()
        for step in range(1, 6):
            asked = {key: value + (0.37 if value < 50 else -0.37) * step for key, value in start.items()}
            sent = arm.send_action(asked)
            row = {key: struct.unpack("f", struct.pack("f", value))[0] for key, value in sent.items()}
            arm.get_observation()  # an exchange after the write: the servos have it
            assert arm.servos.to_raw(row) == last_goals(world)
        arm.disconnect()

    def test_the_arm_does_not_move_when_it_is_engaged(self, world: SimWorld) -> None:
        arm = follower()
        arm.connect()
        before = arm.get_observation()
        arm.engage()
        time.sleep(0.2)
        after = arm.get_observation()
        assert all(abs(after[key] - before[key]) < 2.0 for key in before)
        arm.disconnect()

    def test_without_degrees_the_body_is_in_percent(self, world: SimWorld) -> None:
        arm = follower(use_degrees=False)
        units = {key: feature.unit for key, feature in arm.action_features.items()}
        assert units.pop("gripper.pos") == "pct"
        assert set(units.values()) == {"pct100"}

    def test_a_lost_a_late_and_a_corrupt_packet_cost_a_retry(self, world: SimWorld) -> None:
        arm = follower()
        arm.connect()
        for kind, more in (("lost", {}), ("corrupt", {}), ("late", {"seconds": 0.15})):
            world.fault(kind, motor="elbow_flex", **more)
            assert arm.get_observation()
        arm.disconnect()

    def test_an_overload_is_flagged_and_the_run_goes_on(self, world: SimWorld) -> None:
        arm = follower()
        arm.connect()
        arm.engage()
        world.fault("overload", motor="gripper")
        assert "overload:gripper" in arm.get_observation().flags
        arm.disconnect()

    def test_health_of_every_motor(self, world: SimWorld) -> None:
        arm = follower()
        arm.connect()
        rows = arm.health()
        arm.disconnect()
        assert [row["id"] for row in rows] == [1, 2, 3, 4, 5, 6]
        assert all(row["model"] == "sts3215" and 5 < row["voltage"] < 13 for row in rows)


def test_every_joint_has_a_speed_limit() -> None:
    profile = follower_profile(SO100FollowerConfig(port="sim"))
    assert set(profile.max_rate) == set(profile.motors)


@pytest.mark.parametrize(
    ("option", "fix"),
    [({"max_relative_target": 5.0}, "--robot.limits"), ({"disable_torque_on_disconnect": False}, "--on-exit hold")],
)
def test_options_that_mean_something_else_here_are_refused_with_what_to_type(option: Any, fix: str) -> None:
    with pytest.raises(ConfigError) as caught:
        SO100FollowerConfig(port="sim", **option)
    assert fix in str(caught.value)


def test_both_generations_have_the_peers_name() -> None:
    from lerobot_core.registry import default_registry

    registry = default_registry()
    assert {registry.spec("robot", name).peer_name for name in ("so100", "so101", "so101_follower")} == {"so_follower"}
    assert registry.spec("teleoperator", "so100_leader").peer_name == "so_leader"


# --- calibration --------------------------------------------------------------------------------------------------------------


def test_calibrating_connecting_and_what_was_there_before(world: SimWorld, tmp_path: Path) -> None:
    mine = {"id": "mine", "calibration_dir": str(tmp_path)}
    arm = follower(**mine)
    with pytest.raises(CalibrationError, match="not calibrated"):
        arm.connect()
    hands = Hands(world)
    arm.calibrate(hands)
    found = json.loads((tmp_path / "mine.json").read_text())
    packaged = json.loads((CALIBRATION / "virtual.json").read_text())
    for name, values in packaged.items():
        assert found[name].keys() == values.keys()
        assert abs(found[name]["homing_offset"] - values["homing_offset"]) <= 3, name
    assert (found["wrist_roll"]["range_min"], found["wrist_roll"]["range_max"]) == (0, 4095)
    again = follower(**mine)
    again.connect()
    again.disconnect()


def test_another_arms_calibration_is_caught_and_can_be_restored(world: SimWorld, tmp_path: Path) -> None:
    data = json.loads((CALIBRATION / "virtual.json").read_text())
    data["elbow_flex"]["homing_offset"] += 400
    (tmp_path / "virtual.json").write_text(json.dumps(data))
    other = {"calibration_dir": str(tmp_path)}
    with pytest.raises(CalibrationError, match="elbow_flex Homing_Offset"):
        follower(**other).connect()
    arm = follower(**other, restore_calibration=True)
    arm.connect()
    before = arm.get_observation()["elbow_flex.pos"]
    arm.engage()
    assert registers(arm, "Homing_Offset")["elbow_flex"] == data["elbow_flex"]["homing_offset"]
    assert arm.get_observation()["elbow_flex.pos"] == pytest.approx(
        before, abs=5.0
    )  # a limp arm settles; the offsets differ by 35 degrees
    arm.disconnect()
    follower(**other).connect()


# --- what breaks ----------------------------------------------------------------------------------------------------------------


def test_a_motor_that_is_gone_is_named(world: SimWorld) -> None:
    arm = follower()
    arm.connect()
    world.fault("gone", motor="wrist_flex")
    with pytest.raises(BusError, match=r"motor 'wrist_flex' \(id 4\) does not answer") as caught:
        arm.get_observation()
    assert caught.value.motor == "wrist_flex"
    arm.disconnect()
    with pytest.raises(BusError, match=r"motor 'wrist_flex' \(id 4\) not found on .*"):
        follower().connect()


def test_two_motors_with_one_id_and_a_wrong_model_are_caught_at_connect(world: SimWorld) -> None:
    world.fault("id", motor="shoulder_pan", number=2)
    with pytest.raises(BusError) as caught:
        follower().connect()
    assert "shoulder_pan" in str(caught.value)
    world.fault("id", motor="shoulder_pan", number=1)
    world.fault("model", motor="gripper", number=2825)
    with pytest.raises(BusError, match=r"'gripper' \(id 6\) is a sts3250"):
        follower().connect()


def test_a_motor_that_lost_power_for_a_moment_is_not_trusted_again(world: SimWorld) -> None:
    arm = follower()
    arm.connect()
    arm.engage()
    world.fault("brownout", seconds=0.3)
    end = time.perf_counter() + 5.0
    texts = set()
    while "went limp" not in " ".join(texts) and time.perf_counter() < end:
        with pytest.raises(BusError) as caught:
            arm.get_observation()
        texts.add(caught.value.what)
    assert any("went limp" in text for text in texts), texts
    arm.disconnect()


def test_new_motors_get_their_ids_one_at_a_time(world: SimWorld) -> None:
    """Motors of a loose arm: each is plugged in alone, found, and given the id of its joint."""
    arm = build("teleoperator", "so101_leader", port="sim", id="virtual")
    names = list(arm.servos.profile.motors)

    class Plugging(Hands):
        def wait_person(self, what: str) -> None:
            joint = next(name for name in names if f"'{name}'" in what)
            self.world.fault("only", motor=joint)
            self.world.fault("id", motor=joint, number=1)

    hands = Plugging(world)
    arm.setup_motors(hands)
    assert hands.said[0] == "'gripper' has id 6 (it had 1)"
    assert hands.said[-1].startswith("all motors have their ids")
    world.fault("clear")
    bus = make_bus("feetech")
    from bench import _open_port

    path, close = _open_port("sim", "feetech", arm.servos.profile.motors)
    bus.open(path, {name: Motor(id, "sts3215", "degrees") for id, name in enumerate(names, 1)}, RealClock())
    bus.close()
    close()
