"""`lr find joint-limits`: the arm stays limp, what a person moves is noted, and the block that is printed is a rig file's."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from lerobot_core.cli.joint_limits import PATIENCE, Reach, Watch, toml
from lerobot_core.cli.main import main
from lerobot_core.errors import BusError
from lerobot_core.fakes.robot import FakeRobot
from lerobot_core.terminal import Terminal
from lerobot_core.types import Feature

FEATURES = {
    "pan.pos": Feature("float32", (), "deg", -110.0, 110.0),
    "grip.pos": Feature("float32", (), "pct", 0.0, 100.0),
    "front": Feature("uint8", (4, 4, 3)),
}


def poses(*pan: float) -> Callable[[], dict[str, float]]:
    rest: Iterator[float] = iter(pan)
    return lambda: {"pan.pos": next(rest), "grip.pos": 5.0}


def test_the_least_and_the_most_of_each_joint_are_kept() -> None:
    watch = Watch(poses(0.0, -30.26, 41.01, 3.0), FEATURES)
    for _ in range(3):
        watch.look()
    assert (watch.joints["pan.pos"].low, watch.joints["pan.pos"].high) == (-30.26, 41.01)
    assert [key for key, joint in watch.joints.items() if joint.moved] == ["pan.pos"]
    assert "not moved" in watch.lines("robot")[2]
    assert tomllib.loads("\n".join(toml(watch.joints))) == {
        "robot": {"limits": {"pan.pos": {"low": -30.3, "high": 41.1}}}
    }


def test_noise_is_no_movement_where_the_range_is_known() -> None:
    assert not Reach(0.0, 1.0, "deg", 200.0).moved
    assert Reach(0.0, 1.0, "raw", None).moved


def test_a_lost_answer_is_not_the_end_of_it_and_silence_is() -> None:
    answers: list[Any] = [{"pan.pos": 0.0, "grip.pos": 0.0}, BusError("lost"), {"pan.pos": 9.0, "grip.pos": 0.0}]

    def read() -> dict[str, float]:
        found = answers.pop(0) if answers else BusError("silent")
        if isinstance(found, BusError):
            raise found
        return dict(found)

    watch = Watch(read, FEATURES)
    watch.look()
    watch.look()
    assert watch.joints["pan.pos"].high == 9.0
    for _ in range(PATIENCE):
        watch.look()
    with pytest.raises(BusError, match="silent"):
        watch.look()


def test_robot_and_leader_are_watched_and_nothing_is_engaged(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[str] = []

    def person(terminal: Terminal, what: str, look: Callable[[], None]) -> None:
        asked.append(what)
        look()

    def engage(robot: FakeRobot) -> None:
        raise AssertionError("it may not move")

    monkeypatch.setattr(Terminal, "watch_person", person)
    monkeypatch.setattr(FakeRobot, "engage", engage)
    assert main(["find", "joint-limits", "--robot", "fake", "--teleop", "fake", "--json"]) == 0
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert told["joints"].keys() == {"robot", "teleop"}
    assert told["joints"]["robot"]
    assert "robot" in tomllib.loads(told["toml"])
    assert len(asked) == 1


def test_a_person_is_needed_at_a_real_arm(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["find", "joint-limits", "--robot", "fake", "--yes"]) == 2
    assert "--yes moves only simulated joints" in capsys.readouterr().err
    assert main(["find", "joint-limits"]) == 2
    assert "lr find joint-limits --robot NAME" in capsys.readouterr().err


def test_an_arm_that_was_left_stiff_is_let_go() -> None:
    from lerobot_core.cli.joint_limits import _limp

    done: list[str] = []
    robot = SimpleNamespace(
        let_go=lambda: done.append("let go"),
        disengage=lambda: done.append("disengaged"),
        get_observation=poses(1.0),
        action_features=FEATURES,
    )
    _limp(robot)
    assert done == ["let go"]
