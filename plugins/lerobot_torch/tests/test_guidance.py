"""Guidance: the pull by hand, a flow that continues a leftover, and a leftover's way through the processors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from lerobot_core.features import ACTION, STATE
from lerobot_core.types import Features, Guide, Observation
from lerobot_torch.guidance import Prefix, guided, prefix_of, pull
from lerobot_torch.names import find_names
from lerobot_torch.numpy_policy import NumpyPolicy
from lerobot_torch.processors.pipeline import AFTER, Pipeline
from lerobot_torch.processors.relative import Relative
from lerobot_torch.processors.step import Batch
from tiny_policy import JOINTS, TinyPolicy, tiny
from torch import Tensor

NAMES = tuple(JOINTS)
LAST = pull(0.1, 10.0) / 10
"""A velocity that leads straight to its target heads for the same actions at every step, so that the last one decides how
near a chunk comes to its prefix."""


class Flow(TinyPolicy):
    """Ten Euler steps from noise to the linear layer's chunk, with a velocity that leads straight there."""

    guidance = "guided"
    prefix: Prefix | None = None

    def guided_chunk(self, batch: Batch, prefix: Prefix) -> Tensor:
        """(B, T, A)."""
        self.prefix, target = prefix, self.chunk(batch)
        x = torch.full_like(target, 3.0)
        for step in range(10):
            time = 1.0 - step / 10
            x = x - guided((x - target) / time, x, time, prefix) / 10
        return x


def flow(**options: Any) -> Flow:
    policy = tiny(chunk_size=8, **options)
    policy.__class__ = Flow
    policy.guidance = "guided"  # type: ignore[misc]
    assert isinstance(policy, Flow)
    return policy


def numpy_policy(policy: Flow) -> NumpyPolicy:
    return NumpyPolicy(policy, find_names(policy, policy.config))


def seen(**values: float) -> Observation:
    joints = {"pan.pos": 10.0, "lift.pos": -20.0, **values}
    return Observation({**joints, "front": np.full((8, 12, 3), 99, np.uint8)}, 1.0)


def leftover(rows: Any, names: tuple[str, ...] = NAMES, delay: int = 2, schedule: str = "LINEAR") -> Guide:
    return Guide(delay, 6, schedule, 10.0, names, np.array(rows, np.float32).reshape(-1, len(names)))


@pytest.mark.parametrize(("time", "weight"), [(1.0, 10.0), (0.9, 9.1111), (0.5, 2.0), (0.1, 9.1111), (0.0, 10.0)])
def test_the_pull_at_a_few_times(time: float, weight: float) -> None:
    assert pull(time, 10.0) == pytest.approx(weight, abs=1e-4)


@given(st.floats(0, 1), st.floats(0, 20))
def test_the_pull_is_never_more_than_the_limit(time: float, limit: float) -> None:
    assert 0 <= pull(time, limit) <= limit


def test_one_step_by_hand() -> None:
    prefix = Prefix(torch.full((1, 2, 1), 4.0), torch.tensor([1.0, 0.5]), torch.tensor([True, False]), 10.0)
    velocity, noisy = torch.full((1, 2, 2), 1.0), torch.full((1, 2, 2), 2.0)
    bent = guided(velocity, noisy, 0.5, prefix)
    # heads for 2 - 0.5 * 1 = 1.5; lacks 2.5 of the prefix, and 1.5 too much of the padding's 0
    assert bent.tolist() == [[[1 - 2 * 2.5, 1 + 2 * 1.5], [1 - 2 * 2.5 / 2, 1 + 2 * 1.5 / 2]]]


def test_a_flow_comes_near_the_prefix_where_it_is_held_and_is_free_beyond() -> None:
    policy = flow()
    with torch.inference_mode():
        batch = policy.before({STATE: torch.tensor([10.0, -20.0]), "observation.images.front": torch.zeros(3, 8, 12)})
        free = policy.chunk(batch)
        prefix = prefix_of(leftover([[1.0, 2.0]] * 5), torch.full((1, 5, 2), 0.7), 8)
        chunk = policy.guided_chunk(batch, prefix)
    wanted = free + LAST * prefix.weights[:, None] * (0.7 - free)
    torch.testing.assert_close(chunk, wanted, atol=1e-5, rtol=0)
    assert prefix.weights.tolist()[5:] == [0, 0, 0]


def test_what_is_not_left_has_no_weight() -> None:
    prefix = prefix_of(leftover([[1.0, 2.0]] * 3, delay=9, schedule="ONES"), torch.ones(1, 3, 2), 8)
    assert prefix.weights.tolist() == [1, 1, 1, 0, 0, 0, 0, 0]
    assert prefix.frozen.tolist() == [True] * 3 + [False] * 5


def test_more_than_a_chunk_is_cut() -> None:
    assert prefix_of(leftover([[1.0, 2.0]] * 12), torch.ones(1, 12, 2), 8).actions.shape == (1, 8, 2)


def test_a_guided_chunk_begins_with_the_leftover_in_robot_units_whatever_the_order_of_its_columns() -> None:
    rows = np.stack([np.linspace(5, 9, 5), np.linspace(-30, -26, 5)], axis=1)
    guide = leftover(rows[:, ::-1], names=NAMES[::-1])
    chunk = numpy_policy(flow()).predict_chunk(seen(), "", guide)
    plain = numpy_policy(flow()).predict_chunk(seen(), "")
    np.testing.assert_allclose(chunk.actions[:2], (1 - LAST) * plain.actions[:2] + LAST * rows[:2], atol=1e-3)
    np.testing.assert_allclose(chunk.actions[6:], plain.actions[6:], atol=1e-3)
    assert not np.allclose(chunk.actions[:2], plain.actions[:2], atol=1.0)


def test_a_policy_of_relative_actions_measures_the_leftover_from_the_new_observation() -> None:
    policy = flow()
    steps = list(policy.before)
    relative = Relative(enabled=True, exclude_joints=("lift",), action_names=NAMES)
    policy.before = Pipeline(policy.before.name, [*steps[:-1], relative, steps[-1]])
    policy.after = policy.before.mirrored(AFTER)
    rows = [[12.0, -25.0]] * 5
    chunk = numpy_policy(policy).predict_chunk(seen(**{"pan.pos": 10.5}), "", leftover(rows))
    assert policy.prefix is not None
    # 12 - 10.5 = 1.5, of mean 1 and deviation 30; the excluded joint stays as it is: -25 of mean -2 and deviation 20
    np.testing.assert_allclose(policy.prefix.actions[0, 0].numpy(), [0.5 / 30, -23 / 20], atol=1e-5)
    plain = numpy_policy(policy).predict_chunk(seen(**{"pan.pos": 10.5}), "")
    np.testing.assert_allclose(chunk.actions[:2], (1 - LAST) * plain.actions[:2] + LAST * np.array(rows[:2]), atol=1e-3)


def test_no_leftover_is_no_guidance() -> None:
    policy = numpy_policy(flow())
    free = policy.predict_chunk(seen(), "")
    np.testing.assert_array_equal(policy.predict_chunk(seen(), "", leftover([])).actions, free.actions)


def test_a_policy_without_guidance_ignores_the_guide() -> None:
    policy = tiny(chunk_size=8)
    numpy = NumpyPolicy(policy, find_names(policy, policy.config))
    assert numpy.guidance == "none"
    guide = leftover([[50.0, 50.0]] * 4)
    np.testing.assert_array_equal(
        numpy.predict_chunk(seen(), "", guide).actions, numpy.predict_chunk(seen(), "").actions
    )


def test_a_family_that_promises_guidance_and_has_none_is_told() -> None:
    policy = tiny()
    policy.guidance = "guided"  # type: ignore[misc]
    with pytest.raises(NotImplementedError, match="guided_chunk"):
        policy.act(
            {STATE: torch.zeros(2), "observation.images.front": torch.zeros(3, 8, 12), "task": ""}, leftover([[1, 2]])
        )


def test_features_are_still_the_robots() -> None:
    features: Features = numpy_policy(flow()).gives
    assert tuple(features) == NAMES
    assert ACTION not in features
