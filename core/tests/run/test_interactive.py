"""The interactive session: typed lines and a program's calls, over the same code."""

from __future__ import annotations

from typing import Any

import pytest
from lerobot_core.errors import UserError
from lerobot_core.fakes.robot import FakeRobot
from lerobot_core.operators.table import typed
from lerobot_core.run.controller import Controller
from lerobot_core.run.session import Session
from lerobot_core.virtual_clock import VirtualClock
from rig import session

PERIOD = 1 / 30


def controlled(verb: str = "rollout", **sections: Any) -> tuple[Controller, VirtualClock]:
    """A controller on fakes; the test's thread takes part in its clock."""
    sections.setdefault("policy", {})
    clock = VirtualClock()
    return Controller(session(verb, **sections).plan, clock), clock


def names(controller: Controller) -> list[str]:
    return [event.name for event in iter(lambda: controller.next_event(0.0), None)]


def until(controller: Controller, name: str) -> list[str]:
    """The names of what is told, up to the first `name`."""
    seen: list[str] = []
    while not seen or seen[-1] != name:
        event = controller.next_event(60.0)
        assert event is not None, f"no {name!r} after {seen}"
        seen.append(event.name)
    return seen


def moves(controller: Controller) -> int:
    robot = controller.session.parts.robot
    assert isinstance(robot, FakeRobot)
    return sum(call.name == "send_action" for call in robot.calls)


def test_nothing_moves_before_the_first_start_and_everything_is_warm() -> None:
    controller, clock = controlled()
    with controller:
        clock.sleep_until(5.0)
        assert moves(controller) == 0
        assert controller.session.parts.robot.is_engaged
        controller.start()
        assert until(controller, "started") == ["ready", "started"]
        clock.sleep_until(clock.now() + 3 * PERIOD)
        assert moves(controller) > 0
    assert controller.close()["outcome"] == "stopped"
    assert not controller.session.parts.robot.is_connected


def test_segments_of_one_warm_policy() -> None:
    controller, clock = controlled()
    with controller:
        for _ in range(3):
            controller.start("fold")
            until(controller, "started")
            clock.sleep_until(clock.now() + 1.0)
            controller.stop()
            until(controller, "ended")
            sent = moves(controller)
            clock.sleep_until(clock.now() + 1.0)
            assert moves(controller) > sent, "the arm holds: its last goal is sent again"
    robot = controller.session.parts.robot
    assert isinstance(robot, FakeRobot)
    made = [call.name for call in robot.calls]
    assert made.count("connect") == made.count("engage") == 1
    summary = controller.close()
    assert summary["rows"]["policy"] == pytest.approx(90, abs=6)
    assert summary["rows"]["hold"] >= 80


def test_each_start_is_a_new_strategy_and_each_end_saves_its_tail() -> None:
    controller, clock = controlled(
        strategy="record", verb="record", teleop={}, dataset={"num_episodes": 5, "episode_time_s": 60.0}
    )
    with controller:
        for seconds in (1.0, 2.0):
            controller.start()
            until(controller, "started")
            clock.sleep_until(clock.now() + seconds)
            controller.stop()
            until(controller, "ended")
        storage = controller.session.parts.storage
    lengths = [len(episode.steps) for episode in storage.episodes]  # type: ignore[union-attr]
    assert lengths == [pytest.approx(30, abs=2), pytest.approx(60, abs=2)]
    rows = [step.index for episode in storage.episodes for step in episode.steps]  # type: ignore[union-attr]
    assert rows == sorted(set(rows))


def test_a_strategy_that_is_done_ends_its_segment_and_not_the_session() -> None:
    controller, _ = controlled(
        strategy="record",
        verb="record",
        teleop={},
        dataset={"num_episodes": 2, "episode_time_s": 0.5, "reset_time_s": 0.2},
    )
    with controller:
        for _ in range(2):
            controller.start()
            until(controller, "ended")
        assert not controller.over
        storage = controller.session.parts.storage
    assert len(storage.episodes) == 4  # type: ignore[union-attr]


def test_duration_is_a_segments() -> None:
    controller, clock = controlled(flags={"duration": 1.0})
    with controller:
        for _ in range(2):
            before = clock.now()
            controller.start()
            until(controller, "ended")
            assert clock.now() - before == pytest.approx(1.0, abs=5 * PERIOD)
    assert controller.close()["rows"]["policy"] == pytest.approx(60, abs=2)


def test_reset_goes_home_slowly_and_a_start_waits_for_it() -> None:
    park = {f"{name}.pos": 30.0 for name in ("a", "b")}
    controller, clock = controlled(robot={"joints": ["a", "b"], "park_pose": park}, policy={"joints": ["a", "b"]})
    with controller:
        controller.start()
        until(controller, "started")
        clock.sleep_until(clock.now() + 2.0)
        controller.reset()
        assert until(controller, "resetting") == ["ended", "resetting"]
        controller.start("again")
        assert until(controller, "started") == ["reset", "started"]
        loop = controller.session.loop
        assert loop is not None
        assert loop.counts.rows["goto"] >= 15
        assert loop.task.text == "again"


def test_reset_before_anything_ran_and_stop_on_the_way() -> None:
    controller, clock = controlled()
    with controller:
        controller.reset()
        until(controller, "resetting")
        controller.stop()
        assert until(controller, "reset") == ["reset"]
        clock.sleep_until(clock.now() + 1.0)
        assert names(controller) == []


def test_a_task_is_changed_while_it_runs_and_while_it_waits() -> None:
    controller, clock = controlled()
    with controller:
        controller.set_task("sort")
        until(controller, "task")
        controller.start()
        until(controller, "started")
        clock.sleep_until(clock.now() + 0.5)
        assert controller.session.loop.last_step.task == "sort"  # type: ignore[union-attr]
        controller.set_task("fold")
        until(controller, "task")
        clock.sleep_until(clock.now() + 0.5)
        assert controller.session.loop.last_step.task == "fold"  # type: ignore[union-attr]


def test_a_program_can_press_every_key_there_is() -> None:
    controller, clock = controlled()
    with controller:
        controller.start()
        until(controller, "started")
        clock.sleep_until(clock.now() + 0.5)
        controller.press("pause")
        clock.sleep_until(clock.now() + 1.0)
        assert controller.session.loop.last_step.source == "hold"  # type: ignore[union-attr]
        with pytest.raises(UserError, match="pasue"):
            controller.press("pasue")


def test_stop_while_nothing_runs_does_not_end_the_session() -> None:
    controller, clock = controlled()
    with controller:
        controller.stop()
        controller.stop()
        clock.sleep_until(clock.now() + 1.0)
        assert not controller.over
        controller.start()
        until(controller, "started")


def test_what_the_engine_computed_before_a_stop_is_never_executed_after_it() -> None:
    controller, clock = controlled(policy={"latency_s": 0.2}, inference={"type": "chunked"})
    with controller:
        controller.start()
        until(controller, "started")
        clock.sleep_until(clock.now() + 1.0)
        controller.stop()
        until(controller, "ended")
        queue = controller.session.loop.rig.queue  # type: ignore[union-attr]
        clock.sleep_until(clock.now() + 1.0)
        assert queue.depth() == 0
        ended = clock.now()
        controller.start()
        until(controller, "started")
        clock.sleep_until(clock.now() + 1.0)
        step = controller.session.loop.last_step  # type: ignore[union-attr]
        assert step is not None
        assert step.timed is not None
        assert step.timed.time > ended


def test_a_failure_while_running_parks_saves_and_is_told() -> None:
    controller, _ = controlled(policy={"fault": "raise", "fault_after": 2})
    with controller:
        controller.start()
        seen = until(controller, "closed")
        assert seen[-2:] == ["ended", "closed"]
        assert controller.next_event() is None, "nothing comes after the end"
    summary = controller.close()
    assert (summary["outcome"], summary["exit"]) == ("failed", "park")


def test_what_cannot_be_opened_is_raised_and_closed_again() -> None:
    controller, _ = controlled(robot={"fault": "bus_gone", "fault_after": 0})
    with pytest.raises(UserError, match="bus is gone"):
        controller.open()
    assert controller.over
    assert controller.close()["outcome"] == "failed"


def test_an_exception_in_the_program_parks_the_arm() -> None:
    controller, _ = controlled()

    def program() -> None:
        with controller:
            controller.start()
            until(controller, "started")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        program()
    assert controller.over
    assert controller.close()["exit"] in ("park", "release")


def test_wrong_options_are_refused_before_anything_is_opened() -> None:
    with pytest.raises(UserError, match="duraton"):
        Controller.rollout("--robot", "fake", "--policy", "fake", "--duraton", "5")


def test_a_script_steers_a_session_from_its_beginning() -> None:
    script = "0.5 start fold; 1.5 stop; 2.0 reset; 4.0 start; 5.0 quit"
    s: Session = session(
        policy={},
        operator={"script": {"type": "scripted", "script": script}},
        flags={"interactive": True, "task": "sort"},
    )
    said: list[str] = []
    s._notify = said.append  # type: ignore[method-assign]
    summary = s.run()
    assert (summary["outcome"], summary["reason"]) == ("stopped", "operator")
    assert summary["rows"]["policy"] == pytest.approx(60, abs=4)
    assert "segment 1: fold" in said
    assert "segment 2: fold" in said


@pytest.mark.parametrize(
    ("line", "event"),
    [
        ("start", ("start", "")),
        ("start fold the towel", ("start", "fold the towel")),
        ("stop", ("stop", "")),
        ("reset", ("reset", "")),
        ("quit", ("quit", "")),
        ("task stop at the red line", ("task", "stop at the red line")),
        ("stop at the red line", ("task", "stop at the red line")),
        ("pick the cube", ("task", "pick the cube")),
        ("task", ("task", "task")),
    ],
)
def test_a_typed_line_is_an_event(line: str, event: tuple[str, str]) -> None:
    assert typed(line) == event
