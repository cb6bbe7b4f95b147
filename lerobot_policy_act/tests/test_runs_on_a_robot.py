"""A checkpoint as a policy: the contract's laws, and runs on fake devices."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from lerobot_core.config.bases import Chosen
from lerobot_core.config.run import RunConfig
from lerobot_core.conformance.policy import PolicyConformance
from lerobot_core.errors import ConfigError, ContractError
from lerobot_core.fakes.joints import joint_features
from lerobot_core.registry import Registry
from lerobot_core.run.plan import Plan
from lerobot_core.run.session import Session
from lerobot_core.types import Feature
from lerobot_core.virtual_clock import VirtualClock
from lerobot_torch.contract import Contract, write_contract

ARM = joint_features()
IMAGE = Feature("uint8", (96, 128, 3))
SIZE = {"width": 128, "height": 96}
CAMERAS = ("front", "wrist")
Checkpoint = Callable[..., Path]


def named(folder: Path, **changes: Any) -> Path:
    """With the names of the fake arm."""
    write_contract(folder, Contract(ARM | dict.fromkeys(CAMERAS, IMAGE), ARM, 30.0, "fake"))
    return folder


class TestACTConformance(PolicyConformance):
    name = "act"

    @pytest.fixture(autouse=True)
    def _checkpoint(self, checkpoint: Checkpoint) -> None:
        self.path = named(checkpoint())

    def options(self) -> dict[str, Any]:
        return {"path": str(self.path), "device": "cpu"}


def chosen(kind: str, name: str, instance: str = "", **options: Any) -> Chosen:
    spec = Registry().spec(kind, name)
    return Chosen(kind, name, spec, spec.config(**options), instance)


def session(path: Path, engine: str = "sync", duration: float = 2.0, rename: Any = None, **options: Any) -> Session:
    cameras = {name: chosen("camera", "fake", name, **SIZE) for name in CAMERAS}
    config = RunConfig(
        robot=chosen("robot", "fake"),
        camera=cameras,
        policy=chosen("policy", "act", path=str(path), device="cpu", **options),
        inference=chosen("inference", engine),
        strategy=chosen("strategy", "base"),
        duration=duration,
        rename_map=rename or {},
    )
    return Session(Plan("rollout", config, {}, Registry()), VirtualClock())


@pytest.mark.parametrize("engine", ["sync", "chunked"])
def test_it_drives_the_arm(checkpoint: Checkpoint, engine: str) -> None:
    summary = session(named(checkpoint()), engine).run()
    assert (summary["outcome"], summary["policy"]) == ("done", "act")
    assert summary["rows"]["policy"] >= 59
    assert summary["engine"]["calls"] >= 3


def test_an_ensemble_is_asked_at_every_step(checkpoint: Checkpoint) -> None:
    summary = session(named(checkpoint("act_no_vae_ensemble")), duration=0.5).run()
    assert summary["outcome"] == "done"
    assert summary["engine"]["calls"] == summary["rows"]["policy"] + summary["rows"]["hold"]


def test_executing_more_actions_ends_an_ensemble(checkpoint: Checkpoint) -> None:
    summary = session(named(checkpoint("act_no_vae_ensemble")), n_action_steps=10).run()
    assert summary["outcome"] == "done"
    assert summary["engine"]["calls"] <= 8


def test_fewer_actions_may_be_executed_than_a_chunk_has(checkpoint: Checkpoint) -> None:
    path = named(checkpoint())
    all_of_them, five = session(path).run(), session(path, n_action_steps=5).run()
    assert five["engine"]["calls"] > 3 * all_of_them["engine"]["calls"]


def test_another_network_than_the_trained_one_is_refused(checkpoint: Checkpoint) -> None:
    failed = session(checkpoint(), chunk_size=30)
    assert failed.run()["outcome"] == "failed"
    assert isinstance(failed.ending.error, ConfigError)
    assert "chunk_size is 20 in this checkpoint, not 30" in str(failed.ending.error)


def test_without_names_nothing_moves(checkpoint: Checkpoint) -> None:
    failed = session(checkpoint())
    assert failed.run()["outcome"] == "failed"
    assert isinstance(failed.ending.error, ContractError)
    for place in ("contract.json", "train_config.json", "--policy.names-from", "--policy.assume-order"):
        assert place in str(failed.ending.error)


def test_statistics_beyond_the_robots_range_are_refused(checkpoint: Checkpoint) -> None:
    """The checkpoint saw -100..100 on every joint; this arm's gripper has 0..100."""
    failed = session(checkpoint(), assume_order=True)
    assert failed.run()["outcome"] == "failed"
    assert "gripper.pos: trained on -100..100, the robot has 0..100" in str(failed.ending.error)


def test_other_names_are_refused_with_the_difference(checkpoint: Checkpoint) -> None:
    other = {key.replace("gripper", "jaw"): feature for key, feature in ARM.items()}
    path = checkpoint()
    write_contract(path, Contract(other | dict.fromkeys(CAMERAS, IMAGE), other, 30.0))
    failed = session(path)
    assert failed.run()["outcome"] == "failed"
    assert "-jaw.pos" in str(failed.ending.error)
    assert session(path, rename={"gripper.pos": "jaw.pos"}).run()["outcome"] == "done"


def test_the_command_line_runs_it(checkpoint: Checkpoint) -> None:
    options = [
        f"--camera.{name}{rest}"
        for name in CAMERAS
        for rest in (".type=fake", *(f".{key}={size}" for key, size in SIZE.items()))
    ]
    command = [sys.executable, "-m", "lerobot_core", "rollout", "--robot", "fake", *options, "--policy"]
    done = subprocess.run(
        [*command, str(named(checkpoint())), "--policy.device", "cpu", "--duration", "0.5", "--json"],
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout.splitlines()[-1])
    assert (summary["policy"], summary["outcome"]) == ("act", "done")
    assert summary["rows"]["policy"] > 0
