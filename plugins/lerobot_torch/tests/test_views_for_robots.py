"""Several robots share one network; what one of them is does not reach the answers of another."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from lerobot_core.contracts.policy import RobotAware, Shareable
from lerobot_core.features import ACTION, STATE
from lerobot_core.types import Observation
from lerobot_torch.names import find_names
from lerobot_torch.numpy_policy import NumpyPolicy
from lerobot_torch.processors.normalize import Normalize
from lerobot_torch.processors.pipeline import AFTER
from lerobot_torch.processors.relative import Relative
from tiny_policy import JOINTS, SEEN, tiny


@pytest.fixture
def policy() -> NumpyPolicy:
    """Its actions are relative to where the arm is."""
    network = tiny()
    network.before.put_before(Normalize, Relative(enabled=True))
    network.after = network.before.mirrored(AFTER)
    return NumpyPolicy(network, find_names(network, network.config))


def seen(place: float) -> Observation:
    return Observation({**dict.fromkeys(JOINTS, place), "front": np.zeros(SEEN["front"].shape, np.uint8)})


def test_a_view_answers_as_the_policy_does(policy: NumpyPolicy) -> None:
    assert isinstance(policy, Shareable)
    view = policy.for_robot()
    assert isinstance(view, RobotAware)
    np.testing.assert_array_equal(
        view.predict_chunk(seen(5.0), "").actions, policy.predict_chunk(seen(5.0), "").actions
    )


def test_weights_are_shared(policy: NumpyPolicy) -> None:
    own, other = policy._policy, policy.for_robot()._policy
    assert own is not None
    assert other is not None
    pairs = zip(own.parameters(), other.parameters(), strict=True)
    assert all(mine.data_ptr() == theirs.data_ptr() for mine, theirs in pairs)


def test_where_one_robot_is_does_not_move_another(policy: NumpyPolicy) -> None:
    """The processors remember a state between the two sides of the network; two robots' calls may lie between."""
    first, second = policy.for_robot()._policy, policy.for_robot()._policy
    assert first is not None
    assert second is not None
    zero = {ACTION: torch.zeros(1, 3, 2)}
    first.before({STATE: torch.tensor([10.0, 20.0])})
    alone = first.after(zero)[ACTION].clone()
    second.before({STATE: torch.tensor([-50.0, 70.0])})
    torch.testing.assert_close(first.after(zero)[ACTION], alone)


def test_an_order_taken_from_one_robot_is_not_the_others(policy: NumpyPolicy) -> None:
    first, second = policy.for_robot(), policy.for_robot()
    first._names = dataclasses.replace(first._names, action=dict(reversed(JOINTS.items())))
    assert list(second.gives) == list(policy.gives) != list(first.gives)
