"""Every mode, both directions, and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from lerobot_core.errors import ContractError
from lerobot_torch.features import PolicyFeature
from lerobot_torch.processors.normalize import MODES, Normalize, Unnormalize, tensors

STATE, ACTION, IMAGE = "observation.state", "action", "observation.images.front"
FEATURES = {
    STATE: PolicyFeature("STATE", (3,)),
    IMAGE: PolicyFeature("VISUAL", (3, 4, 6)),
    ACTION: PolicyFeature("ACTION", (3,)),
}
RANGES = ("min", "max", "q01", "q99", "q10", "q90")
numbers = st.lists(st.floats(-1000, 1000, width=32), min_size=3, max_size=3)


def statistics(low: list[float], span: list[float]) -> dict[str, Any]:
    down, up = np.array(low, np.float32), np.array(low, np.float32) + np.array(span, np.float32)
    each = {name: (up if name in ("max", "q99", "q90") else down) for name in RANGES}
    return {key: {**each, "mean": down, "std": up - down} for key in FEATURES}


def normalize(mode: str, stats: dict[str, Any], **more: Any) -> Normalize:
    return Normalize(FEATURES, dict.fromkeys(("STATE", "VISUAL", "ACTION"), mode), tensors(stats), **more)


spans = st.lists(st.floats(0.5, 500, width=32), min_size=3, max_size=3)


@given(mode=st.sampled_from(sorted(MODES)), low=numbers, span=spans, x=numbers)
def test_the_inverse_takes_an_action_back(mode: str, low: list[float], span: list[float], x: list[float]) -> None:
    step = normalize(mode, statistics(low, span))
    batch = {ACTION: torch.tensor([[x]])}
    inverse = step.inverse()
    assert inverse is not None
    back = inverse(step(batch))[ACTION]
    np.testing.assert_allclose(back.numpy(), batch[ACTION].numpy(), rtol=1e-4, atol=2e-3)
    assert batch[ACTION].tolist() == [[torch.tensor(x).tolist()]], "a step leaves its input as it is"


@pytest.mark.parametrize(
    ("mode", "wanted"),
    [("IDENTITY", 5.0), ("MEAN_STD", 0.5), ("MIN_MAX", 0.0), ("QUANTILES", 0.0), ("QUANTILE10", 0.0)],
)
def test_each_mode_by_hand(mode: str, wanted: float) -> None:
    found = normalize(mode, statistics([0.0] * 3, [10.0] * 3))({STATE: torch.full((1, 3), 5.0)})
    assert found[STATE].tolist() == [[pytest.approx(wanted)] * 3]


def test_the_peers_epsilon() -> None:
    """It divides by std + eps and multiplies by std; a range of zero becomes eps."""
    step = normalize("MEAN_STD", statistics([0.0] * 3, [0.0] * 3), eps=1e-3)
    assert step({ACTION: torch.ones(1, 3)})[ACTION].tolist() == [[pytest.approx(1000.0)] * 3]
    assert Unnormalize(FEATURES, step.norm_map, step.stats, 1e-3)({ACTION: torch.ones(1, 3)})[ACTION].sum() == 0
    flat = normalize("MIN_MAX", statistics([2.0] * 3, [0.0] * 3))
    assert flat({ACTION: torch.full((1, 3), 2.0)})[ACTION].tolist() == [[-1.0] * 3]


def test_statistics_of_an_image_meet_its_channels() -> None:
    step = normalize("MEAN_STD", statistics([0.1, 0.2, 0.3], [1.0] * 3))
    found = step({IMAGE: torch.full((2, 3, 4, 6), 0.5)})[IMAGE]
    assert found[0, :, 0, 0].tolist() == pytest.approx([0.4, 0.3, 0.2], abs=1e-6)
    assert step.state()[f"{IMAGE}.mean"].shape == (3, 1, 1)


def test_what_is_missing_is_listed() -> None:
    stats = statistics([0.0] * 3, [1.0] * 3)
    del stats[STATE]["q01"], stats[IMAGE]
    with pytest.raises(ContractError) as caught:
        normalize("QUANTILES", stats)
    assert f"{STATE}.q01, {IMAGE}.q01, {IMAGE}.q99" in caught.value.what
    assert f"{ACTION}.q01" in caught.value.why


def test_statistics_under_another_name_are_missing() -> None:
    """The peer passes such tensors through, and the arm flails."""
    stats = {f"so100.buffer.{key}": value for key, value in statistics([0.0] * 3, [1.0] * 3).items()}
    with pytest.raises(ContractError, match="lacks statistics"):
        normalize("MEAN_STD", stats)


def test_statistics_that_were_never_computed_are_refused() -> None:
    stats = statistics([0.0] * 3, [1.0] * 3)
    stats[ACTION]["mean"] = np.full(3, np.inf)
    with pytest.raises(ContractError, match=r"not finite: action\.mean"):
        normalize("MEAN_STD", stats)


def test_an_unknown_mode_is_refused() -> None:
    with pytest.raises(ContractError, match="unknown mode 'ZSCORE'"):
        normalize("ZSCORE", {})


def test_a_type_without_a_mode_and_a_key_left_out_are_left_alone() -> None:
    stats = tensors(statistics([1.0] * 3, [1.0] * 3))
    batch = {STATE: torch.ones(1, 3), ACTION: torch.ones(1, 3)}
    assert Normalize(FEATURES, {"ACTION": "MEAN_STD"}, stats)(batch)[STATE].tolist() == [[1.0] * 3]
    chosen = normalize("MEAN_STD", statistics([1.0] * 3, [1.0] * 3), normalize_observation_keys=[IMAGE])
    found = chosen(batch)
    assert (found[STATE].tolist(), found[ACTION].tolist()) == ([[1.0] * 3], [[0.0] * 3])
    assert chosen.config()["normalize_observation_keys"] == [IMAGE]


def test_double_precision_stays_double() -> None:
    found = normalize("MEAN_STD", statistics([0.0] * 3, [2.0] * 3))({STATE: torch.ones(1, 3, dtype=torch.float64)})
    assert found[STATE].dtype == torch.float64
