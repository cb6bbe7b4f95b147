"""Whole runs on fakes and the virtual clock: what the arm is asked to do at the seams between chunks."""

from __future__ import annotations

from typing import Any

import pytest
from lerobot_core.config.bases import Chosen
from lerobot_core.config.run import RunConfig
from lerobot_core.registry import Registry
from lerobot_core.run.plan import Plan
from lerobot_core.run.session import Session
from lerobot_core.types import Step
from lerobot_core.virtual_clock import VirtualClock

SMOOTH = {"guided": True, "scatter": 10.0, "chunk_size": 40, "n_action_steps": 40}
"""Each chunk is smooth and lies up to 10 deg off the motion, so that two of them are up to 20 deg apart; a joint may do
6 deg a period."""


def chosen(kind: str, name: str, instance: str = "", **options: Any) -> Chosen:
    spec = Registry().spec(kind, name)
    return Chosen(kind, name, spec, spec.config(**options), instance)


class Watched:
    """A session whose rows are kept."""

    def __init__(self, policy: dict[str, Any], operator: str = "", flags: dict[str, Any] = {}, **rtc: Any) -> None:
        config = RunConfig(
            robot=chosen("robot", "fake"),
            policy=chosen("policy", "fake", **policy),
            inference=chosen("inference", "rtc", **rtc),
            strategy=chosen("strategy", "base"),
            operator={"scripted": chosen("operator", "scripted", "scripted", script=operator)} if operator else {},
            **{"duration": 20.0, **flags},
        )
        self.session = Session(Plan("rollout", config, {}, Registry()), VirtualClock())
        self.rows: list[Step] = []
        steps = self.session.steps()
        self.session.steps = lambda: (*steps[:-1], self.watch, steps[-1])  # type: ignore[method-assign]
        self.summary = self.session.run()

    def watch(self) -> None:
        """Before the loop."""
        self.session.parts.strategy.record = self.rows.append  # type: ignore[method-assign]

    @property
    def stats(self) -> dict[str, Any]:
        """The queue's."""
        return self.session._queue.stats()

    def rate_rows(self, after: float = 1.5) -> int:
        """Rows in which the filter held a joint back for its speed, the start with its ramp left out."""
        begin = self.rows[0].t + after
        return sum(
            any(item.startswith(("rate:", "ramp:")) for item in row.filtered) for row in self.rows if row.t > begin
        )


@pytest.mark.parametrize("latency", [0.0, 0.05, 0.15, 0.25])
@pytest.mark.parametrize("schedule", ["LINEAR", "EXP"])
def test_a_smooth_policy_has_smooth_seams(latency: float, schedule: str) -> None:
    run = Watched({**SMOOTH, "latency_s": latency}, schedule=schedule, execution_horizon=20)
    assert run.summary["outcome"] == "done"
    assert run.stats["seams"] > 10
    assert run.rate_rows() == 0


def test_without_guidance_the_same_policy_is_held_back_at_seams() -> None:
    """The control: the test above could fail."""
    run = Watched({**SMOOTH, "latency_s": 0.15}, mode="replace")
    assert run.rate_rows() > 10


@pytest.mark.parametrize("multiplier", [2, 5])
def test_interpolation_adds_nothing_at_the_seams(multiplier: int) -> None:
    run = Watched(
        {**SMOOTH, "latency_s": 0.15}, flags={"interpolation": multiplier}, execution_horizon=20, schedule="LINEAR"
    )
    assert run.summary["outcome"] == "done"
    sends = [call for call in run.session.parts.robot.calls if call.name == "send_action"]
    assert len(sends) > multiplier * 550
    assert run.stats["seams"] > 10
    assert run.rate_rows() == 0
    assert run.summary["rows"]["policy"] == 600


def test_repeated_errors_end_in_hold_then_an_orderly_stop() -> None:
    """The queue runs dry, the arm holds while it asks again, and when it gives up the arm is parked."""
    run = Watched({**SMOOTH, "latency_s": 0.1, "fault": "raise", "fault_after": 6}, flags={"duration": 60.0})
    assert (run.summary["outcome"], run.summary["exit"]) == ("failed", "park")
    assert "RuntimeError" in run.summary["reason"]
    assert (run.summary["engine"]["state"], run.summary["engine"]["errors"]) == ("dead", 10)
    assert run.summary["rows"]["hold"] > 9 * 0.5 * 30
    held = [row for row in run.rows if row.source == "hold"]
    last = next(row for row in reversed(run.rows) if row.source == "policy")
    assert {tuple(row.sent.values()) for row in held if row.t > last.t} == {tuple(last.sent.values())}


def test_an_error_that_passes_costs_a_hold_and_not_the_run() -> None:
    run = Watched({**SMOOTH, "latency_s": 0.1}, flags={"duration": 10.0})
    assert run.summary["rows"]["hold"] == 0
    assert run.summary["engine"]["errors"] == 0


def test_a_new_instruction_in_a_run() -> None:
    run = Watched({**SMOOTH, "latency_s": 0.2}, operator="3.0 task the other cube", flags={"task": "the cube"})
    assert run.summary["outcome"] == "done"
    tasks = [row.task for row in run.rows if row.source == "policy"]
    change = tasks.index("the other cube")
    assert set(tasks[:change]) == {"the cube"}
    assert set(tasks[change:]) == {"the other cube"}
    assert run.session.parts.policy is not None


def test_the_same_run_twice_is_the_same() -> None:
    one, two = (Watched({**SMOOTH, "latency_s": 0.15}, flags={"duration": 6.0}) for _ in range(2))
    assert [row.sent for row in one.rows] == [row.sent for row in two.rows]
