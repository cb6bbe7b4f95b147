"""A leader that stands elsewhere than its follower: the arm comes over at a ramp, it does not jump."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from lerobot_core.fakes.teleoperator import FakeTeleoperator
from lerobot_core.safety import RAMP_FLOOR, RAMP_S
from rig import session

PERIOD = 1 / 30
MAX_RATE = 180.0
APART = {"amplitude": 0.9, "seed": 7, "period_s": 1000.0}
"""A hand that holds every joint up to 90 degrees away from the arm, and hardly moves."""


def sent_after_engage(s: Any) -> list[dict[str, float]]:
    calls = s.parts.robot.calls
    start = next(i for i, call in enumerate(calls) if call.name == "engage")
    return [call.action for call in list(calls)[start:] if call.name == "send_action"]


def test_the_first_second_is_a_ramp_and_then_it_arrives() -> None:
    s = session("teleoperate", "teleoperate", teleop=APART, flags={"duration": 3.0})
    summary = s.run()
    assert summary["outcome"] == "done"
    path = [{"shoulder_pan.pos": 0.0}, *sent_after_engage(s)]
    target = s.loop.last_step.requested["shoulder_pan.pos"]
    assert abs(target) > 60
    steps = [abs(b["shoulder_pan.pos"] - a["shoulder_pan.pos"]) for a, b in pairwise(path)]
    assert 0 < steps[0] <= RAMP_FLOOR * MAX_RATE * PERIOD + 1e-6
    for i, step in enumerate(steps[:30]):
        share = min(1.0, RAMP_FLOOR + (1 - RAMP_FLOOR) * i * PERIOD / RAMP_S)
        assert step <= share * MAX_RATE * PERIOD + 1e-6
    assert max(steps) <= MAX_RATE * PERIOD + 1e-6
    assert path[80]["shoulder_pan.pos"] == pytest.approx(target, abs=2.0)
    assert summary["safety"]["ramp"] + summary["safety"]["rate"] > 0


def test_an_actuated_leader_is_let_go_of_before_the_person_takes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []
    for name in ("engage", "release", "get_action"):
        monkeypatch.setattr(f"lerobot_core.fakes.teleoperator.FakeTeleoperator.{name}", _noting(calls, name))
    session("teleoperate", "teleoperate", teleop={"actuated": True}, flags={"duration": 0.2}).run()
    assert calls[0] == "release"
    assert "engage" not in calls


def _noting(calls: list[str], name: str) -> Any:
    original = getattr(FakeTeleoperator, name)

    def noting(self: Any) -> Any:
        calls.append(name)
        return original(self)

    return noting
