"""The tick: order, rows, interpolation, lateness, tasks, observers."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from lerobot_core.types import Step
from rig import session


def record_steps(s: Any) -> list[Step]:
    """Every row of the run, as the strategy gets it."""
    steps: list[Step] = []

    def listen() -> None:
        s.parts.strategy.record = steps.append

    s.steps = lambda: (*type(s).steps(s)[:-1], listen, s.run_loop)
    return steps


def test_rows_are_one_a_period_and_hold_what_was_sent() -> None:
    s = session(policy={}, camera={"front": {}}, flags={"duration": 2.0})
    steps = record_steps(s)
    s.run()
    assert [step.index for step in steps] == list(range(steps[0].index, steps[0].index + 60))
    sent = [call.action for call in s.parts.robot.calls if call.name == "send_action"]
    assert [step.sent for step in steps] == sent[: len(steps)]
    assert all(step.observation.captured["front"] <= step.t + 1e-9 for step in steps)
    assert not steps[-1].observation["front"].flags.writeable


def test_a_blocked_loop_skips_periods_and_keeps_time_true() -> None:
    s = session(policy={"latency_s": 0.25, "n_action_steps": 10}, flags={"duration": 3.0})
    steps = record_steps(s)
    summary = s.run()
    assert summary["overruns"] > 0
    times = [step.t for step in steps]
    assert all(b - a == pytest.approx(1 / 30) for a, b in itertools.pairwise(times))
    late = [step for step in steps if step.late]
    assert late
    assert all(step.requested == step.sent and "late" in step.observation.flags for step in late)


def test_interpolation_sends_more_often_than_it_records() -> None:
    s = session(policy={}, flags={"duration": 2.0, "interpolation": 3})
    steps = record_steps(s)
    s.run()
    first, last = steps[0].t, steps[-1].t + 1 / 30
    sends = [c for c in s.parts.robot.calls if c.name == "send_action" and first <= c.t < last - 1e-9]
    assert len(steps) == 60
    assert len(sends) == 1 + 59 * 3
    assert sends[-1].action == steps[-1].sent


def test_a_task_typed_by_the_operator_reaches_rows_and_policy() -> None:
    script = {"type": "scripted", "script": "1.0 task stack the cups"}
    s = session(policy={}, operator={"scripted": script}, flags={"duration": 2.0, "task": "sort"})
    steps = record_steps(s)
    s.run()
    assert {step.task for step in steps} == {"sort", "stack the cups"}
    assert steps[-1].timed is not None
    assert steps[-1].timed.task == "stack the cups"


def test_pause_holds_and_resumes() -> None:
    script = {"type": "scripted", "script": "0.5 pause; 1.5 pause"}
    s = session(policy={}, operator={"scripted": script}, flags={"duration": 2.0})
    steps = record_steps(s)
    summary = s.run()
    assert summary["rows"]["hold"] == pytest.approx(30, abs=2)
    held = [step.sent for step in steps if step.source == "hold"]
    assert all(action == held[0] for action in held)


def test_safety_off_lets_everything_through_and_says_so(caplog: pytest.LogCaptureFixture) -> None:
    fast = {"amplitude": 1.0, "period_s": 0.5}
    on = session(policy=fast, flags={"duration": 1.0}).run()
    off = session(policy=fast, flags={"duration": 1.0, "safety": False}).run()
    assert on["safety"]["rate"] > 0
    assert off["safety"] == {"range": 0, "rate": 0, "nan": 0, "stale": 0, "ramp": 0}
    assert "OFF" in caplog.text


def test_fifty_runs_are_identical() -> None:
    def trace() -> list[Any]:
        s = session(
            policy={"latency_s": 0.11},
            inference={"type": "chunked"},
            camera={"front": {"width": 64, "height": 48}},
            flags={"duration": 1.0},
        )
        steps = record_steps(s)
        s.run()
        return [(step.index, step.t, step.sent, step.source, step.observation.captured) for step in steps]

    first = trace()
    assert all(trace() == first for _ in range(49))
