"""Several robots, one pass of the network: each gets what it would have got alone."""

from __future__ import annotations

import numpy as np
import pytest
from lerobot_core.batching import predict_chunks
from lerobot_core.errors import ContractError
from lerobot_core.run.rename import RenamedPolicy
from lerobot_core.types import Observation
from lerobot_torch.names import find_names
from lerobot_torch.numpy_policy import NumpyPolicy
from tiny_policy import tiny


def policy() -> NumpyPolicy:
    network = tiny()
    return NumpyPolicy(network, find_names(network, network.config))


def seen(seed: int, camera: str = "front") -> Observation:
    dice = np.random.default_rng(seed)
    joints = {key: float(dice.uniform(-50, 50)) for key in ("pan.pos", "lift.pos")}
    return Observation({**joints, camera: dice.integers(0, 255, (8, 12, 3), np.uint8)}, time=float(seed))


def test_each_gets_what_it_would_have_got_alone() -> None:
    network = policy()
    many = [seen(seed) for seed in range(3)]
    together = predict_chunks(network, many, ["a", "b", "c"])
    for obs, chunk, task in zip(many, together, "abc", strict=True):
        alone = network.predict_chunk(obs, task)
        assert (chunk.names, chunk.time, chunk.task) == (alone.names, alone.time, task)
        np.testing.assert_allclose(chunk.actions, alone.actions, atol=1e-4)


def test_under_other_names_too() -> None:
    renamed = RenamedPolicy(policy(), {"top": "front"})  # type: ignore[arg-type]
    (chunk,) = predict_chunks(renamed, [seen(1, "top")], [""])  # type: ignore[arg-type]
    np.testing.assert_allclose(chunk.actions, policy().predict_chunk(seen(1), "").actions, atol=1e-4)


def test_one_that_lacks_a_key_is_refused() -> None:
    with pytest.raises(ContractError, match="front"):
        policy().predict_chunks([seen(0), Observation({"pan.pos": 0.0, "lift.pos": 0.0})], ["", ""])
