"""Prefix weights against numbers worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lerobot_core.errors import ConfigError
from lerobot_core.guidance import SCHEDULES, guide_weights, prefix_weights
from lerobot_core.types import Guide

BY_HAND = {
    "LINEAR": [1, 1, 0.8, 0.6, 0.4, 0.2, 0, 0],
    "EXP": [1, 1, 0.5706, 0.2871, 0.1145, 0.0258, 0, 0],
    "ONES": [1, 1, 1, 1, 1, 1, 0, 0],
    "ZEROS": [1, 1, 0, 0, 0, 0, 0, 0],
}


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_each_schedule(schedule: str) -> None:
    weights = guide_weights(schedule, 2, 6, 8)
    assert weights.dtype == np.float32
    assert weights == pytest.approx(BY_HAND[schedule], abs=1e-4)


def test_nothing_is_weighted_beyond_what_is_left() -> None:
    actions = np.ones((3, 2), np.float32)
    guide = Guide(5, 10, "LINEAR", 10.0, ("a", "b"), actions)
    assert prefix_weights(guide, 8).tolist() == [1, 1, 1, 0, 0, 0, 0, 0]


def test_an_unknown_schedule_is_told_with_those_there_are() -> None:
    with pytest.raises(ConfigError, match="LINER") as caught:
        guide_weights("LINER", 0, 1, 2)
    assert "LINEAR" in caught.value.fix


@given(st.sampled_from(SCHEDULES), st.integers(-1, 12), st.integers(-1, 12), st.integers(0, 9))
def test_they_fall_from_one_to_zero(schedule: str, delay: int, end: int, length: int) -> None:
    weights = guide_weights(schedule, delay, end, length)
    assert len(weights) == length
    assert ((weights >= 0) & (weights <= 1)).all()
    assert (np.diff(weights) <= 0).all()
    assert (weights[max(end, 0) :] == 0).all()
