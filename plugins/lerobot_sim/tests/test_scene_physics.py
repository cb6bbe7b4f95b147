"""The scene: where things start, how the arm follows its servos, and when an attempt has succeeded."""

from __future__ import annotations

import math

import numpy as np
import pytest
from lerobot_sim.physics import scene
from lerobot_sim.physics.arm import JOINTS
from lerobot_sim.physics.world import Scene
from lerobot_sim.servo.drive import Drive

STEP = 0.005


def arm() -> list[Drive]:
    return [Drive() for _ in JOINTS]


def run(made: Scene, seconds: float) -> None:
    for _ in range(round(seconds / STEP)):
        made.advance(STEP)


def aim(drives: list[Drive], angles: dict[str, float]) -> None:
    """Torque on, goals in degrees."""
    for joint, drive in zip(JOINTS, drives, strict=True):
        drive.goal = joint.encoder(math.radians(angles.get(joint.name, 0.0)))
        drive.torque = drive.changed = True


def drop_into_bin(made: Scene, height: float = 0.06) -> None:
    x, y = scene.BIN_CENTER
    made.put_cube(x, y, 0.0)
    made.data.qpos[len(JOINTS) + 2] = height


@pytest.mark.parametrize("seed", range(0, 60, 6))
def test_the_cube_starts_in_its_area_turned_by_at_most_45_degrees(seed: int) -> None:
    truth = Scene(arm(), seed).truth()
    x, y, z = truth["cube"]
    assert max(abs(x - scene.AREA_CENTER[0]), abs(y - scene.AREA_CENTER[1])) <= scene.AREA_HALF
    assert z == pytest.approx(scene.CUBE / 2, abs=0.001)
    assert abs(truth["yaw"]) <= scene.MAX_YAW_DEG


def test_a_seed_gives_the_same_scene_again() -> None:
    made = Scene(arm(), 5)
    first = made.truth()["cube"]
    made.reset(9)
    assert made.truth()["cube"] != first
    made.reset(5)
    assert made.truth()["cube"] == first


def test_a_limp_arm_stays_folded() -> None:
    made = Scene(arm())
    before = made.truth()["joints"]
    run(made, 2.0)
    after = made.truth()["joints"]
    assert max(abs(after[name] - before[name]) for name in before) < 5.0


def test_servos_bring_the_arm_upright_within_their_speed() -> None:
    drives = arm()
    made = Scene(drives)
    aim(drives, {})
    run(made, 0.2)
    # 4.7 rad/s for 0.2 s is 54 degrees.
    assert made.truth()["joints"]["shoulder_lift"] < -99 + 56
    run(made, 1.3)
    joints = made.truth()["joints"]
    assert all(abs(angle) < 2.5 for angle in joints.values()), joints
    assert all(abs(drive.position - joint.encoder(0.0)) < 30 for joint, drive in zip(JOINTS, drives, strict=True))


def test_a_weak_torque_limit_cannot_lift_the_arm() -> None:
    drives = arm()
    drives[1].limit = 0.05
    made = Scene(drives)
    aim(drives, {"elbow_flex": 0.0})
    run(made, 2.0)
    assert made.truth()["joints"]["shoulder_lift"] < -60


def test_switched_off_the_arm_falls() -> None:
    drives = arm()
    made = Scene(drives)
    aim(drives, {})
    run(made, 1.5)
    height = made.truth()["grasp"][2]
    for drive in drives:
        drive.torque, drive.changed = False, True
    run(made, 2.0)
    assert made.truth()["grasp"][2] < height - 0.05


def test_success_is_the_cube_at_rest_in_the_bin_for_half_a_second() -> None:
    drives = arm()
    made = Scene(drives, auto_reset=False)
    aim(drives, {})
    run(made, 0.1)
    drop_into_bin(made)
    run(made, 0.4)
    assert not made.succeeded
    run(made, 0.6)
    assert made.succeeded
    made.reset()
    assert not made.succeeded
    assert [(a["seed"], a["success"]) for a in made.attempts] == [(0, True)]


def test_beside_or_above_the_bin_is_no_success() -> None:
    drives = arm()
    made = Scene(drives, auto_reset=False)
    aim(drives, {})
    x, y = scene.BIN_CENTER
    made.put_cube(x, y + scene.BIN_HALF + 0.05, 0.0)
    run(made, 1.0)
    assert not made.succeeded
    made.put_cube(x, y + scene.BIN_HALF + scene.BIN_WALL, 0.0)
    made.data.qpos[len(JOINTS) + 2] = scene.BIN_HEIGHT + scene.CUBE
    made.advance(STEP)
    assert not made.succeeded


def test_attempts_follow_each_other_by_themselves_when_asked() -> None:
    drives = arm()
    made = Scene(drives, seed=3)
    run(made, 0.5)
    assert made.elapsed == 0.0, "an attempt begins when the arm has torque"
    aim(drives, {})
    run(made, 0.1)
    drop_into_bin(made)
    run(made, 1.2)
    assert made.seed == 4
    assert [(a["seed"], a["success"]) for a in made.attempts] == [(3, True)]
    run(made, scene.ATTEMPT_S + 0.5)
    assert [(a["seed"], a["success"]) for a in made.attempts] == [(3, True), (4, False)]
    assert made.attempts[1]["seconds"] == pytest.approx(scene.ATTEMPT_S, abs=0.1)


def test_a_cube_is_never_put_into_the_arm() -> None:
    drives = arm()
    made = Scene(drives)
    # The hand on the table in the middle of the area.
    aim(drives, {"shoulder_lift": 30.0, "elbow_flex": 20.0, "wrist_flex": 40.0})
    run(made, 1.5)
    x, y, _ = made.truth()["grasp"]
    made.put_cube(x, y, 0.0)
    speed = 0.0
    for _ in range(20):
        made.advance(STEP)
        speed = max(speed, float(np.linalg.norm(made.data.qvel[len(JOINTS) : len(JOINTS) + 3])))
    assert speed < 2.0, "pushed out of the arm it would fly off"
