"""aloha keeps the laws of its kind, has the names of its datasets, and says what it needs of the system."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import pytest
from lerobot_core.config.decode import decode
from lerobot_core.config.origin import Origin
from lerobot_core.conformance.env import EnvConformance
from lerobot_core.errors import UserError
from lerobot_env_aloha import drawing
from lerobot_env_aloha.config import AlohaConfig
from lerobot_env_aloha.env import NAMES, make
from lerobot_env_aloha.plugin import doctor

pytestmark = pytest.mark.skipif(bool(drawing.problems()), reason="nothing to draw with: lr doctor")
SMALL: dict[str, Any] = {"image_height": 24, "image_width": 32, "max_steps": 10}
# A process begins by importing dm_control, seconds of computing.
PATIENCE = pytest.mark.timeout(900)


@PATIENCE
class TestAloha(EnvConformance):
    name = "aloha"

    def options(self) -> dict[str, Any]:
        return SMALL


@PATIENCE
@pytest.mark.slow
class TestTransferCube(TestAloha):
    def options(self) -> dict[str, Any]:
        return SMALL | {"task": "transfer_cube"}


@PATIENCE
def test_its_names_are_those_of_its_datasets() -> None:
    """As `lerobot/aloha_sim_insertion_human` and `lerobot/aloha_sim_transfer_cube_human` have them, in this order."""
    env = make(AlohaConfig())
    assert tuple(env.action_features) == NAMES
    assert NAMES[:8] == ("left_waist", "left_shoulder", "left_elbow", "left_forearm_roll", "left_wrist_angle",
                         "left_wrist_rotate", "left_gripper", "right_waist")  # fmt: skip
    assert set(env.observation_features) == {*NAMES, "top"}
    assert env.observation_features["top"].shape == (480, 640, 3)
    assert (env.fps, env.max_steps) == (50.0, 400)
    assert (env.action_features["left_gripper"].low, env.action_features["left_gripper"].high) == (0.0, 1.0)
    assert env.action_features["right_shoulder"].low == pytest.approx(-1.85005)


@PATIENCE
def test_the_joints_go_where_the_action_says_by_name() -> None:
    env = make(AlohaConfig(**(SMALL | {"max_steps": 100})))
    seen = env.reset(3)
    start = {name: float(seen[name]) for name in NAMES}
    wanted = start | {"right_waist": 0.4, "left_gripper": 0.8}
    for _ in range(60):
        seen = env.step(dict(reversed(wanted.items()))).observation
    assert seen["right_waist"] == pytest.approx(0.4, abs=0.05)
    assert seen["left_gripper"] == pytest.approx(0.8, abs=0.1)
    assert seen["left_waist"] == pytest.approx(start["left_waist"], abs=0.05)


@PATIENCE
def test_a_cube_in_the_left_hand_off_the_table_is_success() -> None:
    env = make(AlohaConfig(task="transfer_cube", **SMALL))
    seen = env.reset(0)
    inner: Any = env._env.unwrapped._env  # type: ignore[attr-defined]
    inner.task.get_reward = lambda physics: 4  # what gym-aloha's own task says then
    done = env.step({name: float(seen[name]) for name in NAMES})
    assert (done.success, done.terminated, done.reward) == (True, True, 4.0)


def test_another_task_is_refused() -> None:
    with pytest.raises(UserError, match="not one of insertion, transfer_cube"):
        decode(AlohaConfig, {"task": "weld"}, Origin("config"))


def test_nothing_to_draw_with_is_a_line_of_doctor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drawing, "_loads", lambda file: False)
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.delenv(drawing.CHOICE, raising=False)
    (problem,) = doctor()
    assert (problem.level, problem.where) == ("warning", "env aloha")
    assert "libEGL.so.1" in problem.text
    assert "apt install" in problem.fix
    monkeypatch.setenv(drawing.CHOICE, "osmesa")
    assert "MUJOCO_GL=osmesa, but libOSMesa" in doctor()[0].text


@pytest.mark.parametrize(("there", "chosen"), [(("libEGL.so.1",), "egl"), (("libOSMesa.so.8",), "osmesa"), ((), None)])
def test_what_is_there_is_chosen(monkeypatch: pytest.MonkeyPatch, there: tuple[str, ...], chosen: str | None) -> None:
    monkeypatch.setattr(drawing, "_loads", there.__contains__)
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setitem(os.environ, drawing.CHOICE, "")
    del os.environ[drawing.CHOICE]
    drawing.choose()
    assert os.environ.get(drawing.CHOICE) == chosen
    assert bool(doctor()) == (not there)


@PATIENCE
def test_what_the_system_lacks_is_said_before_an_episode_begins() -> None:
    """In a process of its own, where drawing is out of order from the start; and stdout stays a program's."""
    code = (
        "from lerobot_core.errors import DeviceError\n"
        "from lerobot_env_aloha.config import AlohaConfig\n"
        "from lerobot_env_aloha.env import make\n"
        "try: make(AlohaConfig())\n"
        "except DeviceError as error: print(error)\n"
    )
    environ = os.environ | {"MUJOCO_GL": "off"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environ, check=True)
    what, why, fix = done.stdout.strip().split("\n", 2)
    assert what == "env aloha cannot draw"
    assert "OpenGL" in why
    assert "apt install libegl1" in fix
