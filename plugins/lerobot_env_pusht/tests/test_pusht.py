"""PushT keeps the laws of its kind, has the names of its datasets, and refuses what it cannot do."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from lerobot_core.conformance.env import EnvConformance
from lerobot_core.errors import ContractError, UserError
from lerobot_core.features import from_entries
from lerobot_env_pusht.config import PushTConfig
from lerobot_env_pusht.env import make

GOLDEN = Path(__file__).parents[3] / "tests" / "golden" / "pusht"


class TestPushT(EnvConformance):
    name = "pusht"

    def options(self) -> dict[str, Any]:
        return {"max_steps": 40}


def test_its_names_are_those_of_its_datasets() -> None:
    entries = json.loads((GOLDEN / "meta" / "info.json").read_text())["features"]
    observation, action = from_entries(entries)
    env = make(PushTConfig())
    assert set(observation) == set(env.observation_features)
    assert observation["image"].shape == env.observation_features["image"].shape
    assert list(action) == list(env.action_features)
    assert env.fps == json.loads((GOLDEN / "meta" / "info.json").read_text())["fps"]


def test_the_pusher_goes_where_the_action_says_by_name() -> None:
    env = make(PushTConfig())
    env.reset(3)
    for _ in range(30):
        seen = env.step({"y": 400.0, "x": 60.0}).observation
    assert abs(seen["x"] - 60.0) < 5.0
    assert abs(seen["y"] - 400.0) < 5.0


def test_the_time_limit_cuts_an_episode() -> None:
    env = make(PushTConfig(max_steps=3))
    env.reset(0)
    steps = [env.step({"x": 256.0, "y": 256.0}) for _ in range(3)]
    assert [step.truncated for step in steps] == [False, False, True]
    with pytest.raises(ContractError, match="no episode"):
        env.step({"x": 256.0, "y": 256.0})


def test_the_picture_has_the_size_asked_for() -> None:
    assert make(PushTConfig(image_size=64)).reset(0)["image"].shape == (64, 64, 3)


@pytest.mark.parametrize(
    ("action", "message"),
    [
        ({"x": 1.0}, "names"),
        ({"x": 1.0, "y": 2.0, "z": 3.0}, "names"),
        ({"x": float("nan"), "y": 2.0}, "finite"),
    ],
)
def test_a_bad_action_is_refused(action: dict[str, float], message: str) -> None:
    env = make(PushTConfig())
    env.reset(0)
    with pytest.raises(UserError, match=message):
        env.step(action)


def test_a_closed_env_says_so() -> None:
    env = make(PushTConfig())
    env.close()
    with pytest.raises(ContractError, match="closed"):
        env.reset(0)


def test_nothing_is_printed_on_stdout() -> None:
    code = "from lerobot_env_pusht.env import *; make(PushTConfig()).reset(0)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "")


def test_success_is_a_covered_outline() -> None:
    env = make(PushTConfig())
    env.reset(0)
    inner: Any = env._env.unwrapped
    inner.block.angle = np.pi / 4  # turns about its centre of mass, so the position comes after
    inner.block.position = (256, 256)
    done = env.step({"x": 20.0, "y": 20.0})
    assert (done.success, done.terminated) == (True, True)
    assert done.reward == 1.0
