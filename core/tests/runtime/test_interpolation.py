"""Interpolation: M equal steps that end on the action itself."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lerobot_core.interpolation import Interpolator


def test_the_first_action_comes_alone_and_the_next_in_equal_steps() -> None:
    line = Interpolator(4)
    assert line.between({"a": 1.0}) == [{"a": 1.0}]
    assert line.between({"a": 3.0}) == [{"a": 1.5}, {"a": 2.0}, {"a": 2.5}, {"a": 3.0}]


def test_reset_starts_over_or_from_a_given_action() -> None:
    line = Interpolator(2)
    line.between({"a": 1.0})
    line.reset()
    assert line.between({"a": 9.0}) == [{"a": 9.0}]
    line.reset({"a": 0.0})
    assert line.between({"a": 1.0}) == [{"a": 0.5}, {"a": 1.0}]


@given(st.integers(1, 10), st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=5))
def test_each_period_ends_exactly_on_its_own_action(multiplier: int, values: list[float]) -> None:
    line = Interpolator(multiplier)
    sent = [line.between({"a": value}) for value in values]
    assert [steps[-1]["a"] for steps in sent] == values
    assert all(len(steps) == multiplier for steps in sent[1:])


def test_a_multiplier_below_one_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        Interpolator(0)
