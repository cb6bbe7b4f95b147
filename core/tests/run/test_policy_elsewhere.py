"""An engine whose policy is on another machine is told of the robot, and says what the policy is."""

from __future__ import annotations

from typing import Any

import pytest
from lerobot_core.contracts.inference import Elsewhere, Meeting, Met
from lerobot_core.fakes.inference import FakeInference
from lerobot_core.fakes.joints import joint_features
from lerobot_core.run import build
from rig import session


class FarAway(FakeInference):
    """Keeps what it was told; its policy wants 20 Hz."""

    def meet(self, meeting: Meeting) -> Met:
        self.meeting = meeting
        features = joint_features(self._config.joints)
        return Met(needs={}, gives=features, fps=20.0)


@pytest.fixture
def engines(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Every inference engine that is built is a FarAway, listed here."""
    built: list[Any] = []
    original = build.Builder.part

    def part(self: build.Builder, section: str, chosen: Any) -> Any:
        made = FarAway(chosen.config) if section == "inference" else original(self, section, chosen)
        built.extend([made] if section in ("inference", "policy") else [])
        return made

    monkeypatch.setattr(build.Builder, "part", part)
    return built


def test_it_is_met_and_no_policy_is_built(engines: list[Any]) -> None:
    run = session(
        robot={"id": "seven"},
        inference={},
        policy={},
        flags={"task": "wave", "duration": 1.0, "rename_map": {"a": "b"}},
    )
    run.run()
    assert run.ending.outcome == "done", run.ending.error
    (engine,) = engines
    assert isinstance(engine, Elsewhere)
    assert (engine.meeting.robot, engine.meeting.task, engine.meeting.rename) == ("seven", "wave", {"a": "b"})
    assert set(engine.meeting.action) == set(run.plan.action)
    assert engine.meeting.policy.name == "fake"


def test_the_rate_and_the_names_are_those_of_the_policy_elsewhere(engines: list[Any]) -> None:
    run = session(robot={}, inference={}, flags={"duration": 1.0})
    run.run()
    assert run.plan.fps == 20.0
    assert set(run.plan.gives) == set(run.plan.action)


def test_names_that_the_robot_does_not_have_are_refused_before_anything_moves(engines: list[Any]) -> None:
    run = session(robot={}, inference={"joints": ("elsewhere",)}, flags={"duration": 1.0})
    run.run()
    assert run.ending.outcome == "failed"
    assert "elsewhere.pos" in str(run.ending.error)
    assert run.loop is None
