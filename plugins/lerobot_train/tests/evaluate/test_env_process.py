"""An env in a process of its own says the same as one in this process, and says how it ended."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest
from lerobot_core.errors import DeviceError
from lerobot_core.fakes.config import FakeEnvConfig
from lerobot_core.fakes.env import FakeEnv
from lerobot_train.evaluate.process import ProcessStage

CONFIG = FakeEnvConfig(joints=("slider", "gripper"), max_steps=5)
GO = {"slider.pos": 3.0, "gripper.pos": 50.0}


@contextmanager
def stage(name: str = "fake") -> Iterator[ProcessStage]:
    made = ProcessStage(name, CONFIG)
    try:
        yield made
    finally:
        made.close()


def test_it_says_what_the_env_says() -> None:
    env = FakeEnv(CONFIG)
    with stage() as far:
        far.meet()
        assert (far.observation_features, far.action_features) == (env.observation_features, env.action_features)
        assert (far.fps, far.max_steps, far.task) == (env.fps, env.max_steps, env.task)
        far.begin(9)
        seen, wanted = far.seen(), env.reset(9)
        assert seen.keys() == wanted.keys()
        np.testing.assert_array_equal(seen["front"], wanted["front"])
        assert not seen["front"].flags.writeable
        far.act(GO)
        done, step = far.done(), env.step(GO)
        assert (done.reward, done.success, done.observation.time) == (step.reward, step.success, step.observation.time)


def test_an_env_that_refuses_is_heard() -> None:
    with stage() as far:
        far.meet()
        far.begin(0)
        far.seen()
        far.act({"slider.pos": 1.0})
        with pytest.raises(DeviceError, match="takes exactly its joints"):
            far.done()
        far.act(GO)  # and goes on
        assert far.done().observation.time > 0.0


def test_an_env_that_is_not_there() -> None:
    with stage("nope") as far, pytest.raises(DeviceError, match="no env named 'nope'"):
        far.meet()


def test_a_process_that_is_killed() -> None:
    with stage() as far:
        far.meet()
        os.kill(far._process.pid or 0, signal.SIGKILL)
        far._process.join()
        with pytest.raises(DeviceError, match="process has ended"):
            far.begin(0)


def test_close_is_idempotent() -> None:
    with stage() as far:
        far.close()
