"""The fake policy, inference engine, env and operator."""

from __future__ import annotations

import numpy as np
import pytest
from lerobot_core.errors import ContractError
from lerobot_core.fakes import config as configs
from lerobot_core.fakes.env import FakeEnv
from lerobot_core.fakes.operator import FakeOperator
from lerobot_core.fakes.policy import FakePolicy
from lerobot_core.types import Observation
from lerobot_core.virtual_clock import VirtualClock


def _policy(clock: VirtualClock | None = None, **options: object) -> FakePolicy:
    return FakePolicy(configs.FakePolicyConfig(**options), clock or VirtualClock())  # type: ignore[arg-type]


def _see(policy: FakePolicy, time: float) -> Observation:
    return Observation(dict.fromkeys(policy.needs, 0.0), time)


def test_overlapping_chunks_agree_about_the_same_moment() -> None:
    policy = _policy(fps=10.0, chunk_size=20)
    first, second = policy.predict_chunk(_see(policy, 1.0), "task"), policy.predict_chunk(_see(policy, 1.5), "task")
    assert np.allclose(first.actions[5:], second.actions[:-5], atol=1e-3)
    assert (first.names, first.actions.shape, first.actions.dtype) == (tuple(policy.gives), (20, 6), np.float32)
    assert (second.seq, second.time, second.task) == (1, 1.5, "task")


def test_the_motion_starts_at_rest() -> None:
    policy = _policy()
    first = dict(zip(policy.gives, policy.predict_chunk(_see(policy, 0.0), "").actions[0], strict=True))
    assert first["elbow_flex.pos"] == 0.0
    assert first["gripper.pos"] == 50.0


def test_a_chunk_takes_its_latency_on_the_clock() -> None:
    clock = VirtualClock()
    policy = _policy(clock, latency_s=2.0)
    policy.predict_chunk(_see(policy, 0.0), "")
    assert clock.now() == 2.0


def test_policy_faults_come_after_so_many_chunks() -> None:
    raising, spoiling = _policy(fault="raise", fault_after=1), _policy(fault="nan", fault_after=1)
    raising.predict_chunk(_see(raising, 0.0), "")
    with pytest.raises(RuntimeError):
        raising.predict_chunk(_see(raising, 0.0), "")
    assert np.isfinite(spoiling.predict_chunk(_see(spoiling, 0.0), "").actions).all()
    assert np.isnan(spoiling.predict_chunk(_see(spoiling, 0.0), "").actions[:, 0]).all()


def test_names_units_and_cameras_can_be_made_to_differ() -> None:
    policy = _policy(names=("a.pos", "b.pos"), units="rad", cameras=("front",))
    assert {key: feature.unit for key, feature in policy.gives.items()} == {"a.pos": "rad", "b.pos": "rad"}
    with pytest.raises(ContractError, match="front"):
        policy.predict_chunk(Observation({"a.pos": 0.0, "b.pos": 0.0}), "")


def test_env_is_solved_by_going_to_the_target() -> None:
    env = FakeEnv(configs.FakeEnvConfig())
    observation = env.reset(seed=3)
    action = {key: observation[f"target.{key.removesuffix('.pos')}"] for key in env.action_features}
    steps = [env.step(action) for _ in range(30)]
    solved = next(step for step in steps if step.success)
    assert solved.terminated
    assert not solved.truncated
    assert steps[0].reward < solved.reward


def test_env_is_cut_at_its_time_limit() -> None:
    env = FakeEnv(configs.FakeEnvConfig(max_steps=3, tolerance=0.0))
    env.reset(seed=0)
    rest = {key: 0.0 for key in env.action_features}
    assert [env.step(rest).truncated for _ in range(3)] == [False, False, True]


def test_operator_hands_over_what_has_come_due() -> None:
    clock = VirtualClock(start=10.0)
    operator = FakeOperator(configs.FakeOperatorConfig(events=((2.0, "stop"), (1.0, "takeover"))), clock)
    operator.start()
    assert operator.poll() == []
    clock.sleep_until(11.5)
    operator.push("task", "now the blue one")
    assert [(event.name, event.t) for event in operator.poll()] == [("takeover", 11.0), ("task", 11.5)]
    clock.sleep_until(12.0)
    assert [event.name for event in operator.poll()] == ["stop"]
    assert operator.poll() == []
