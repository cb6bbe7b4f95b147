"""The replay policy: chunks agree, the nearest episode comes first, nothing jumps."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lerobot_core.config.bases import Chosen
from lerobot_core.config.run import RunConfig
from lerobot_core.conformance.policy import PolicyConformance
from lerobot_core.registry import Registry
from lerobot_core.run.plan import Plan
from lerobot_core.run.session import Session
from lerobot_core.virtual_clock import VirtualClock
from lerobot_policy_replay.trajectory import Trajectory, approach


def chosen(kind: str, name: str, **options: Any) -> Chosen:
    spec = Registry().spec(kind, name)
    return Chosen(kind, name, spec, spec.config(**options))


def record(root: Path, episodes: int = 2) -> Path:
    config = RunConfig(
        robot=chosen("robot", "fake"),
        teleop=chosen("teleoperator", "fake", seed=5),
        strategy=chosen("strategy", "record"),
        dataset=chosen("storage", "fake", root=root, num_episodes=episodes, episode_time_s=2.0, reset_time_s=0.3),
    )
    session = Session(Plan("record", config, {}, Registry()), VirtualClock())
    assert session.run()["outcome"] == "done"
    return root


class TestReplay(PolicyConformance):
    name = "replay"

    @pytest.fixture(autouse=True)
    def _dataset(self, tmp_path: Path) -> None:
        self.root = record(tmp_path / "d")

    def options(self) -> dict[str, Any]:
        return {"dataset": str(self.root), "storage": "fake"}


def play(root: Path, engine: str, latency: float, duration: float) -> list[Any]:
    config = RunConfig(
        robot=chosen("robot", "fake"),
        policy=chosen("policy", "replay", dataset=str(root), storage="fake", latency_s=latency, chunk_size=40),
        inference=chosen("inference", engine),
        strategy=chosen("strategy", "base"),
        duration=duration,
    )
    session = Session(Plan("rollout", config, {}, Registry()), VirtualClock())
    steps: list[Any] = []
    session.steps = lambda: (
        *type(session).steps(session)[:-1],
        lambda: setattr(session.parts.strategy, "record", steps.append),
        session.run_loop,
    )  # type: ignore[method-assign]
    assert session.run()["outcome"] == "done"
    return steps


@pytest.mark.parametrize("latency", [0.0, 0.15, 0.5])
def test_seams_jump_no_more_than_the_recording_itself(tmp_path: Path, latency: float) -> None:
    root = record(tmp_path / "d", episodes=1)
    steps = [s for s in play(root, "chunked", latency, 5.0) if s.source == "policy"]
    jumps = [max(abs(b.requested[k] - a.requested[k]) for k in a.requested) for a, b in itertools.pairwise(steps)]
    rows = Registry().spec("storage", "fake").tools().reader(root).actions(0)[1]  # type: ignore[attr-defined]
    own = float(np.max(np.abs(np.diff(rows, axis=0))))
    assert max(jumps) <= max(own, 45.0 / 30) + 1e-3
    assert len(steps) > 100


def test_every_episode_is_played_before_one_is_repeated(tmp_path: Path) -> None:
    root = record(tmp_path / "d", episodes=2)
    reader = Registry().spec("storage", "fake").tools().reader(root)  # type: ignore[attr-defined]
    steps = play(root, "chunked", 0.1, 9.0)
    requested = np.array([list(s.requested.values()) for s in steps])
    for episode in range(2):
        assert min(np.abs(requested - reader.actions(episode)[1][10]).max(axis=1)) < 1e-3


@given(st.integers(2, 60), st.floats(0, 3), st.floats(0, 1), st.integers(1, 30))
def test_overlapping_chunks_agree(length: int, t: float, later: float, size: int) -> None:
    trajectory = Trajectory(np.arange(length, dtype=np.float32)[:, None], 30.0, 0.0)
    first, second = trajectory.chunk(t, size), trajectory.chunk(t + later, size)
    shift = trajectory.index(t + later) - trajectory.index(t)
    if shift < size:
        np.testing.assert_array_equal(first[shift:], second[: size - shift])


@given(st.lists(st.floats(-100, 100, width=32), min_size=6, max_size=6), st.floats(1, 90))
def test_the_approach_keeps_to_its_rate(target: list[float], rate: float) -> None:
    present, first = np.zeros(6, np.float32), np.array(target, np.float32)
    path = np.concatenate([present[None], approach(present, first, rate, 30.0), first[None]])
    assert np.max(np.abs(np.diff(path, axis=0))) <= rate / 30 + 1e-3
