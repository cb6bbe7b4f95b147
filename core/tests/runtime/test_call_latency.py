"""Latency figures and the estimated delay."""

from __future__ import annotations

import pytest
from lerobot_core.inference.latency import CallLog, DelayEstimate, percentile


def test_percentiles_are_nearest_rank() -> None:
    assert percentile([], 0.5) == 0.0
    assert percentile([3.0], 0.01) == percentile([3.0], 0.99) == 3.0
    assert percentile(range(1, 21), 0.95) == 19
    assert percentile([4, 1, 3, 2], 0.5) == 2


def test_the_summary_of_an_engine_that_never_ran() -> None:
    assert CallLog().summary("idle", None) == {
        "state": "idle",
        "calls": 0,
        "errors": 0,
        "latency_ms": {"p50": 0.0, "p99": 0.0, "max": 0.0},
        "delay_steps": {"p50": 0, "max": 0},
        "dropped_chunks": 0,
    }


def test_the_summary_is_in_milliseconds() -> None:
    log = CallLog()
    for seconds in (0.1, 0.2, 2.0):
        log.add(seconds)
    assert log.summary("ready", None)["latency_ms"] == {"p50": 200.0, "p99": 2000.0, "max": 2000.0}


def test_a_cold_call_does_not_count() -> None:
    delay = DelayEstimate(0.05)
    assert (delay.seconds, delay.steps(50)) == (None, 0)
    delay.add(2.0)
    assert delay.seconds is None
    delay.add(0.15)
    assert delay.steps(50) == 3
    delay.restart()
    delay.add(5.0)
    assert delay.steps(50) == 3


def test_a_part_of_an_action_is_a_whole_one_and_there_are_no_more_than_are_left() -> None:
    delay = DelayEstimate(0.1)
    for seconds in (0.0, 0.31):
        delay.add(seconds)
    assert delay.steps(50) == 4
    assert delay.steps(2) == 2
    assert delay.steps(50, waited=0.1) == 5


def test_only_the_last_twenty_calls_count_and_one_of_them_may_be_slow() -> None:
    delay = DelayEstimate(0.1)
    for seconds in [0.0] + [9.0] * 30 + [0.1] * 19 + [3.0]:
        delay.add(seconds)
    assert delay.seconds == pytest.approx(0.1)
    delay.add(3.0)
    assert delay.seconds == pytest.approx(3.0)
