"""The scripted person: her geometry agrees with the model, and she gets the cube into the bin."""

from __future__ import annotations

import itertools
import math

import mujoco
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lerobot_sim.expert.kinematics import Grip, closing_yaw, reach
from lerobot_sim.expert.motion import Reach, Tremor
from lerobot_sim.expert.person import Person
from lerobot_sim.expert.teleoperator import to_action
from lerobot_sim.physics import scene
from lerobot_sim.physics.arm import FINGER, JOINTS
from lerobot_sim.physics.mjcf import model_xml
from lerobot_sim.physics.world import Scene
from lerobot_sim.servo.drive import Drive

MODEL = mujoco.MjModel.from_xml_string(model_xml())
DATA = mujoco.MjData(MODEL)
NAMES = [joint.name for joint in JOINTS]


def hand_at(angles: dict[str, float]) -> tuple[np.ndarray, np.ndarray]:
    """The point of the hand's axis between the jaws, and the hand's axes, according to MuJoCo."""
    DATA.qpos[: len(NAMES)] = [math.radians(angles.get(name, 0.0)) for name in NAMES]
    mujoco.mj_kinematics(MODEL, DATA)
    axes = DATA.body("hand").xmat.reshape(3, 3)
    return DATA.body("hand").xpos + (FINGER - 0.012) * axes[:, 0], axes


@settings(max_examples=80, deadline=None)
@given(st.floats(0.12, 0.32), st.floats(-0.10, 0.10), st.floats(0.015, 0.12), st.floats(-45, 45))
def test_every_place_of_the_cube_is_reached_exactly(x: float, y: float, z: float, yaw: float) -> None:
    angles = reach(Grip(x, y, z, yaw))
    assert angles is not None
    point, axes = hand_at(angles)
    assert point == pytest.approx([x, y, z], abs=1e-6)
    closing = math.degrees(math.atan2(axes[1, 1], axes[0, 1]))
    assert (closing - closing_yaw(angles) + 180) % 360 - 180 == pytest.approx(0, abs=1e-3)
    assert (closing - yaw + 45) % 90 - 45 == pytest.approx(0, abs=1e-3)


def test_out_of_reach_is_said_so() -> None:
    assert reach(Grip(0.6, 0.0, 0.02)) is None


def test_a_reach_starts_and_ends_at_rest() -> None:
    move = Reach({"a": 0.0}, {"a": 10.0}, 1.0, 2.0)
    assert (move.at(0.0)["a"], move.at(1.0)["a"], move.at(2.0)["a"], move.at(9.0)["a"]) == (0.0, 0.0, 5.0, 10.0)
    assert move.at(1.02)["a"] < 0.001
    assert (move.over(2.9), move.over(3.0)) == (False, True)


def test_tremor_is_small_and_the_same_for_the_same_seed() -> None:
    def shaken() -> list[float]:
        tremor = Tremor(("a",), 1.0, np.random.default_rng(4))
        return [tremor.step(0.03)["a"] for _ in range(500)]

    assert shaken() == shaken()
    assert 0.1 < np.std(shaken()) < 0.5


def attempt(seed: int, clumsiness: float = 1.0, wander: float = 0.0) -> tuple[bool, float, float]:
    """Success, seconds, and the fastest any joint was asked to move (degrees a second)."""
    drives = [Drive(torque=True) for _ in JOINTS]
    drives[-1].limit = 0.5
    made, person = Scene(drives, seed, auto_reset=False), Person(seed, clumsiness, wander)
    before: dict[str, float] = {}
    fastest = 0.0
    while made.elapsed < scene.ATTEMPT_S and not made.succeeded:
        wanted = person.act(made.truth())
        for joint, drive in zip(JOINTS, drives, strict=True):
            drive.goal, drive.changed = joint.encoder(math.radians(wanted[joint.name])), True
        fastest = max([fastest, *(abs(wanted[name] - before.get(name, wanted[name])) * 30 for name in NAMES)])
        before = wanted
        for _ in range(6):
            made.advance(1 / 180)
    return made.succeeded, made.elapsed, fastest


@pytest.mark.parametrize("seed", [0, 1, 2, 3, 4, 5])
def test_she_puts_the_cube_into_the_bin(seed: int) -> None:
    succeeded, seconds, fastest = attempt(seed)
    assert succeeded
    assert 4.0 < seconds < 15.0, "as fast as a person, not as a machine"
    assert fastest < 330.0


def test_no_two_people_move_alike() -> None:
    assert attempt(0)[1] != attempt(0, clumsiness=0.0)[1]


def test_she_begins_where_the_arm_is() -> None:
    made = Scene([Drive() for _ in JOINTS])
    joints = made.truth()["joints"]
    wanted = Person(clumsiness=0.0).act(made.truth())
    assert max(abs(wanted[name] - joints[name]) for name in NAMES) < 0.5


def test_she_tries_again_when_the_cube_is_taken_away() -> None:
    drives = [Drive(torque=True) for _ in JOINTS]
    made, person = Scene(drives, 1, auto_reset=False), Person(1)
    moved = False
    while made.elapsed < 2 * scene.ATTEMPT_S and not made.succeeded:
        truth = made.truth()
        if truth["held"] and truth["cube"][2] > 0.04 and not moved:
            moved = True
            made.put_cube(0.2, 0.05, 0.1)
        wanted = person.act(truth)
        for joint, drive in zip(JOINTS, drives, strict=True):
            drive.goal, drive.changed = joint.encoder(math.radians(wanted[joint.name])), True
        for _ in range(6):
            made.advance(1 / 180)
        made.succeeded |= made._rested >= scene.REST_S
    assert moved
    assert made.succeeded


def test_while_somebody_else_moves_the_arm_she_keeps_coming_back_to_where_it_is() -> None:
    made = Scene([Drive() for _ in JOINTS])
    truth, person = made.truth(), Person(3)
    off = []
    for tick in range(240):
        wanted = person.act({**truth, "t": tick / 30})
        off.append(max(abs(wanted[name] - truth["joints"][name]) for name in NAMES[:-1]))
    began_afresh = sum(1 for before, after in itertools.pairwise(off) if before > 25 and after < 6)
    assert began_afresh >= 3


def test_she_goes_on_with_a_cube_that_somebody_else_has_lifted() -> None:
    truth = Scene([Drive() for _ in JOINTS]).truth()
    pose = reach(Grip(0.2, 0.0, 0.115)) or {}
    holding = {**truth, "held": True, "cube": [0.2, 0.0, 0.115], "joints": {**pose, "gripper": -33.0}}
    person = Person(3, clumsiness=0.0)
    last = [person.act({**holding, "t": tick / 30}) for tick in range(30)][-1]
    assert last["shoulder_pan"] > 5.0, "towards the bin"
    assert last["gripper"] < -30.0, "without opening"


def test_actions_are_the_robots_keys_and_units() -> None:
    angles = dict.fromkeys(NAMES, 0.0)
    assert to_action(angles) == {f"{name}.pos": 50.0 if name == "gripper" else 0.0 for name in NAMES}
    closed = to_action({**angles, "gripper": -90.0, "shoulder_pan": 500.0})
    assert closed["gripper.pos"] == 0.0
    assert closed["shoulder_pan.pos"] == pytest.approx(math.degrees(JOINTS[0].limit))


@pytest.mark.parametrize("seed", [4, 5, 6])
def test_she_strolls_first_and_still_gets_it_done(seed: int) -> None:
    succeeded, seconds, _ = attempt(seed, wander=1.0)
    assert succeeded
    assert seconds != attempt(seed)[1]
