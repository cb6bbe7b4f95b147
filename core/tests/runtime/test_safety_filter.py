"""The safety filter: nothing out of range, nothing too fast, never NaN."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lerobot_core.errors import ConfigError, ContractError, DeviceError, InferenceError
from lerobot_core.safety import SafetyFilter
from lerobot_core.types import Action, Feature, Features

DT = 0.01
JOINT: Features = {"a": Feature(unit="deg", low=-90.0, high=90.0, max_rate=100.0)}
PAIR: Features = JOINT | {"grip": Feature(unit="pct", low=0.0, high=100.0)}


def drive(safety: SafetyFilter, value: float, ticks: int, present: float = 0.0) -> list[float]:
    """Send the same request for some ticks; the robot does what it is told."""
    out = []
    for _ in range(ticks):
        action, _ = safety.apply({"a": value}, {"a": present}, DT)
        safety.sent(action)
        out.append(action["a"])
    return out


def engaged(features: Features = JOINT) -> SafetyFilter:
    """A filter whose ramp is over, at rest at 0."""
    safety = SafetyFilter(features)
    safety.note_source("policy", 0.0)
    for _ in range(101):
        action, _ = safety.apply(dict.fromkeys(features, 0.0), dict.fromkeys(features, 0.0), DT)
        safety.sent(action)
    return safety


def test_what_is_safe_passes_unchanged() -> None:
    assert engaged().apply({"a": 0.9}, {}, DT) == ({"a": 0.9}, ())


def test_a_value_out_of_range_is_clipped_and_named() -> None:
    action, found = engaged(PAIR).apply({"a": 0.0, "grip": 130.0}, {}, DT)
    assert (action["grip"], found) == (100.0, ("range:grip",))


def test_speed_is_limited_from_what_was_sent() -> None:
    safety = engaged()
    action, found = safety.apply({"a": 50.0}, {}, DT)
    assert (action, found) == ({"a": pytest.approx(1.0)}, ("rate:a",))
    safety.sent({"a": 0.5})
    assert safety.apply({"a": 50.0}, {}, DT)[0]["a"] == pytest.approx(1.5)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_value_that_is_no_number_holds_the_last_one(value: float) -> None:
    safety = engaged()
    safety.sent(safety.apply({"a": 0.5}, {}, DT)[0])
    assert safety.apply({"a": value}, {}, DT) == ({"a": 0.5}, ("nan:a",))


def test_the_first_action_starts_at_the_present_position() -> None:
    safety = SafetyFilter(JOINT)
    action, found = safety.apply({"a": 80.0}, {"a": np.float32(30.0)}, DT)
    assert (action["a"], found) == (pytest.approx(30.1), ("rate:a",))
    assert safety.apply({"a": math.nan}, {"a": 30.0}, DT)[0]["a"] == 30.0


def test_an_unknown_present_position_is_refused() -> None:
    with pytest.raises(DeviceError, match="'a'"):
        SafetyFilter(JOINT).apply({"a": 0.0}, {"a": math.nan}, DT)


def test_a_key_without_a_sensor_starts_at_its_first_value_but_never_at_nan() -> None:
    safety = SafetyFilter(JOINT)
    with pytest.raises(InferenceError, match="'a'"):
        safety.apply({"a": math.nan}, {}, DT)
    assert safety.apply({"a": 200.0}, {}, DT) == ({"a": 90.0}, ("range:a",))


def test_the_ramp_goes_from_a_tenth_to_full_speed_in_a_second() -> None:
    safety = SafetyFilter(JOINT)
    safety.note_source("policy", 0.0)
    positions = [0.0, *drive(safety, 90.0, 110)]
    speeds = [(b - a) / DT for a, b in pairwise(positions)]
    assert speeds[0] == pytest.approx(10.0)
    assert speeds[50] == pytest.approx(55.0)
    assert speeds[100] == speeds[109] == pytest.approx(100.0)


def test_ramp_and_rate_are_told_apart() -> None:
    safety = SafetyFilter(JOINT)
    assert safety.apply({"a": 0.5}, {"a": 0.0}, DT)[1] == ("ramp:a",)
    assert safety.apply({"a": 5.0}, {"a": 0.0}, DT)[1] == ("rate:a",)
    assert safety.stats() == {"range": 0, "rate": 1, "nan": 0, "ramp": 1}


@pytest.mark.parametrize(
    ("sources", "ramps"),
    [
        ([("policy", 1.0)], False),
        ([("human", 1.0)], True),
        ([("hold", 1.0), ("policy", 1.5)], False),
        ([("hold", 1.0), ("hold", 1.3), ("policy", 1.6)], True),
        ([("hold", 1.0), ("human", 1.1)], True),
        ([("hold", 1.0), ("hold", 9.0)], False),
        ([("goto", 1.0), ("policy", 1.1)], True),
    ],
)
def test_a_ramp_follows_a_change_of_source_and_a_long_hold(sources: list[tuple[str, float]], ramps: bool) -> None:
    safety = engaged()
    for source, t in sources:
        safety.note_source(source, t)  # type: ignore[arg-type]
    assert safety.apply({"a": 0.5}, {}, DT)[1] == (("ramp:a",) if ramps else ())


def test_restart_measures_the_present_position_again() -> None:
    safety = engaged()
    safety.restart()
    assert safety.apply({"a": 0.0}, {"a": 45.0}, DT)[0]["a"] == pytest.approx(44.9)


def test_an_arm_outside_its_range_comes_back_at_the_limited_speed() -> None:
    safety = SafetyFilter(JOINT)
    positions = drive(safety, 200.0, 300, present=120.0)
    assert positions[0] == pytest.approx(119.9)
    assert positions == sorted(positions, reverse=True)
    assert positions[-1] == 90.0


def test_a_slow_limit_is_not_swallowed_by_the_robots_steps() -> None:
    safety, step = SafetyFilter(JOINT, {"a": {"max_rate": 2.0}}), 0.088
    at = 0.0
    for _ in range(1000):
        action, _ = safety.apply({"a": 10.0}, {"a": at}, DT)
        at = round(action["a"] / step) * step
        safety.sent({"a": at})
    assert at == pytest.approx(10.0, abs=step)


def test_what_the_robot_really_did_counts_when_it_is_not_just_rounding() -> None:
    safety = engaged()
    safety.apply({"a": 0.9}, {}, DT)
    safety.sent({"a": -20.0})
    assert safety.apply({"a": 0.9}, {}, DT)[0]["a"] == pytest.approx(-19.0)


@pytest.mark.parametrize("answer", [math.nan, math.inf])
def test_a_robot_that_answers_nonsense_does_not_lift_the_limits(answer: float) -> None:
    safety = engaged()
    safety.sent(safety.apply({"a": 0.9}, {}, DT)[0] | {"a": answer})
    assert safety.apply({"a": 50.0}, {}, DT)[0]["a"] == pytest.approx(1.9)


@pytest.mark.parametrize(("requested", "diff"), [({}, "missing: a"), ({"a": 0.0, "b": 0.0}, "unknown: b")])
def test_other_keys_are_refused_with_a_diff(requested: Action, diff: str) -> None:
    with pytest.raises(ContractError, match=diff):
        engaged().apply(requested, {}, DT)


def test_limits_only_narrow() -> None:
    safety = SafetyFilter(JOINT, {"a": {"low": -10.0, "high": 500.0, "max_rate": 1e9}})
    assert safety.apply({"a": -99.0}, {}, DT)[0]["a"] == -10.0
    assert SafetyFilter(JOINT, {"a": {"high": 500.0}}).apply({"a": 99.0}, {}, DT)[0]["a"] == 90.0


@pytest.mark.parametrize(
    ("limits", "text"),
    [
        ({"b": {"low": 0.0}}, "no 'b'"),
        ({"a": {"lo": 0.0}}, "did you mean 'low'"),
        ({"a": {"low": 95.0}}, "nothing is left"),
        ({"a": {"max_rate": 0.0}}, "nothing is left"),
        ({"a": {"low": math.nan}}, "not a number"),
    ],
)
def test_a_wrong_limit_is_refused(limits: dict[str, dict[str, float]], text: str) -> None:
    with pytest.raises(ConfigError, match=text):
        SafetyFilter(JOINT, limits)


@settings(max_examples=200)
@given(
    st.floats(-90, 90),
    st.lists(st.tuples(st.floats(), st.sampled_from(["policy", "human", "hold", "goto"])), min_size=1, max_size=30),
    st.sampled_from([0.0, 0.002, 0.01, 1 / 30]),
)
def test_what_comes_out_is_always_in_range_and_never_too_fast(
    start: float, requests: list[tuple[float, str]], dt: float
) -> None:
    safety, last = SafetyFilter(JOINT), start
    for index, (value, source) in enumerate(requests):
        safety.note_source(source, index * dt)  # type: ignore[arg-type]
        out = safety.apply({"a": value}, {"a": start}, dt)[0]["a"]
        assert -90.0 <= out <= 90.0
        assert abs(out - last) <= 100.0 * dt + 1e-9
        safety.sent({"a": out})
        last = out
