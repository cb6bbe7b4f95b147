"""One test for each hook besides the catalogue: when it is called, with what, and what its answer does."""

from __future__ import annotations

import logging
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
from lerobot_core.registry import Registry
from lerobot_core.specs import Overlay, RobotSpec

Calls = Callable[[str], list[Any]]
Run = Callable[..., dict[str, Any]]


def test_hook_resolve(registry: Registry, calls: Calls) -> None:
    assert isinstance(registry.resolve("camera", "every"), Overlay)
    assert isinstance(registry.resolve("robot", "every"), RobotSpec)
    assert calls("resolve") == [("camera", "every"), ("robot", "every")]


def test_hook_check(run: Run, calls: Calls, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        assert run("rollout", "--policy", "fake")["outcome"] == "done"
    assert calls("check") == [False, True]  # before anything is connected, and once the features are known
    assert "it is dusty" in caplog.text
    refused = run("rollout", "--policy", "fake", "--task", "impossible")
    assert refused["outcome"] == "failed"
    assert "it cannot be done" in refused["reason"]
    assert calls("run_start") == ["rollout"]


def test_hook_open_world(run: Run, calls: Calls) -> None:
    run("rollout", "--policy", "fake", "--robot.port", "every:2", "--world.seed", "7")
    assert calls("open_world") == [("every:2", {"seed": 7, "auto_reset": True})]
    assert calls("world closed") == [None]


def test_hook_open_port(run: Run, calls: Calls) -> None:
    run("rollout", "--policy", "fake", "--robot.port", "every")
    assert calls("open_port") == [("every", "every")]
    assert calls("path") == ["/a/path"]
    assert calls("port closed") == ["every"]


def test_hook_build(run: Run, calls: Calls) -> None:
    run("rollout", "--policy", "fake")
    assert calls("build") == [
        ("inference", "sync", "SyncEngine"),  # it knows whether the policy is here
        ("policy", "fake", "FakePolicy"),
        ("robot", "every", "FakeRobot"),
        ("strategy", "base", "BaseStrategy"),
    ]


def _record(run: Run) -> dict[str, Any]:
    options = ("--teleop", "fake", "--dataset.type", "fake", "--dataset.num-episodes", "2")
    return run(
        "record", *options, "--dataset.episode-time-s", "0.2", "--dataset.reset-time-s", "0.0", "--duration", "9"
    )


def test_hook_run_start(run: Run, every: ModuleType, calls: Calls) -> None:
    run("rollout", "--policy", "fake")
    names = [name for name, _ in every.CALLS]
    assert calls("run_start") == ["rollout"]
    assert names.index("run_start") > max(i for i, name in enumerate(names) if name in ("build", "check"))
    assert names.index("run_start") < names.index("step")


def test_hook_run_end(run: Run, every: ModuleType, calls: Calls) -> None:
    run("rollout", "--policy", "fake")
    run("rollout", "--policy", "fake", "--policy.fault", "raise")
    assert calls("run_end") == ["done", "failed"]
    assert every.CALLS[-1][0] == "run_end"


def test_hook_episode_start(run: Run, calls: Calls) -> None:
    assert _record(run)["dataset"]["episodes"] == 2
    assert calls("episode_start") == [0, 1]


def test_hook_episode_end(run: Run, calls: Calls) -> None:
    _record(run)
    assert calls("episode_end") == [(0, "none", True), (1, "none", True)]


def test_hook_step(run: Run, calls: Calls) -> None:
    summary = run("rollout", "--policy", "fake")
    seen = calls("step")
    assert seen == sorted(set(seen))
    assert 1 <= len(seen) <= summary["ticks"]


def test_hook_doctor(registry: Registry, every: ModuleType) -> None:
    texts = {entry.distribution: [problem.text for problem in found] for entry, found in registry.call_each("doctor")}
    assert texts["lerobot-every"] == ["it has a cold"]


def test_hook_find(registry: Registry, every: ModuleType) -> None:
    ids = {entry.distribution: [device["id"] for device in found] for entry, found in registry.call_each("find")}
    assert ids["lerobot-every"] == ["every-1"]
