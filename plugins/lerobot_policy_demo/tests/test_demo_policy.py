"""The packaged checkpoint: named, small enough, lawful, and it moves the virtual arm."""

from __future__ import annotations

import json
from typing import Any

import pytest
import torch
from lerobot_core.config.resolve import resolve_run
from lerobot_core.conformance.policy import PolicyConformance
from lerobot_core.errors import UserError
from lerobot_core.registry import default_registry
from lerobot_core.run.plan import Plan
from lerobot_core.run.session import Session
from lerobot_core.virtual_clock import VirtualClock
from lerobot_policy_demo.plugin import CHECKPOINT

ROLLOUT = ("--robot", "virtual_so100", "--policy", "demo", "--policy.device", "cpu")
MEGABYTE = 1_000_000


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def session(*argv: str) -> Session:
    registry = default_registry()
    resolved = resolve_run("rollout", [*ROLLOUT, *argv], registry, {})
    return Session(Plan("rollout", resolved.config, resolved.origins, registry), VirtualClock())


class TestDemoConformance(PolicyConformance):
    name = "demo"

    def options(self) -> dict[str, Any]:
        return {"device": "cpu"}


def test_the_name_is_the_packaged_folder() -> None:
    found = default_registry().resolve("policy", "demo")
    assert found == {"type": "act", "path": str(CHECKPOINT)}
    assert resolve_run("rollout", ROLLOUT, default_registry(), {}).config.policy.config.path == str(CHECKPOINT)


def test_the_checkpoint_is_small_and_whole() -> None:
    assert sum(file.stat().st_size for file in CHECKPOINT.iterdir()) <= 25 * MEGABYTE
    names = {file.name for file in CHECKPOINT.iterdir()}
    assert {"config.json", "contract.json", "model.safetensors"} <= names
    assert not [name for name in names if name.endswith((".pt", ".pth", ".bin", ".pkl"))]


def test_it_sees_pictures_and_joints_and_nothing_else() -> None:
    inputs = json.loads((CHECKPOINT / "config.json").read_text())["input_features"]
    assert list(inputs) == ["observation.state", "observation.images.front", "observation.images.wrist"]
    assert inputs["observation.state"]["shape"] == [6]


def test_it_drives_the_virtual_arm() -> None:
    summary = session("--duration", "1").run()
    assert (summary["outcome"], summary["policy"]) == ("done", "act")
    assert summary["rows"]["policy"] >= 28
    assert summary["safety"]["nan"] == 0


@pytest.mark.parametrize("what", [("--camera.front", "none"), ("--camera.front.width", "320")])
def test_what_it_was_not_trained_on_is_refused_before_anything_moves(what: tuple[str, str]) -> None:
    run = session("--duration", "1", *what)
    run.run()
    assert isinstance(run.ending.error, UserError)
    assert "front" in str(run.ending.error)
