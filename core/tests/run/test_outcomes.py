"""How runs end, on fakes and the virtual clock: every failure of the contract's table, the arm safe, the data whole."""

from __future__ import annotations

from typing import Any

import pytest
from lerobot_core.errors import BusError
from lerobot_core.run.signals import StopNow
from rig import session


def calls(s: Any, name: str) -> list[Any]:
    return [call for call in s.parts.robot.calls if call.name == name]


def went_to_rest(s: Any) -> bool:
    """Torque off after the last motion, then closed."""
    names = [call.name for call in s.parts.robot.calls]
    return names.index("disengage") > len(names) - 1 - names[::-1].index("send_action") and names[-1] == "disconnect"


def test_a_run_ends_after_its_duration_counted_from_the_first_action() -> None:
    s = session(policy={"latency_s": 2.0}, inference={"type": "chunked"}, flags={"duration": 3.0})
    summary = s.run()
    assert (summary["outcome"], summary["reason"], summary["exit"]) == ("done", "duration", "park")
    assert summary["duration_s"] == pytest.approx(3.0)
    assert sum(summary["rows"].values()) == 90
    assert went_to_rest(s)


def test_nothing_is_sent_before_the_first_action_exists() -> None:
    s = session(policy={"latency_s": 2.0}, inference={"type": "chunked"}, flags={"duration": 0.1})
    s.run()
    assert calls(s, "send_action")[0].t - calls(s, "engage")[0].t >= 2.0


@pytest.mark.parametrize("engine", ["sync", "chunked"])
@pytest.mark.parametrize("fault", ["raise", "nan"])
def test_a_policy_that_fails_holds_half_a_second_then_parks(engine: str, fault: str) -> None:
    s = session(
        policy={"fault": fault, "fault_after": 2, "latency_s": 0.05},
        inference={"type": engine},
        flags={"duration": 60.0},
    )
    summary = s.run()
    assert (summary["outcome"], summary["exit"]) == ("failed", "park")
    assert summary["rows"]["hold"] >= 15
    assert summary["engine"]["state"] == "dead"
    assert went_to_rest(s)


def test_a_dead_motor_is_named_and_the_arm_holds_then_lets_go() -> None:
    s = session(robot={"fault": "dead_motor"}, policy={}, flags={"duration": 60.0})
    summary = s.run()
    assert summary["outcome"] == "failed"
    assert "shoulder_pan" in summary["reason"]
    assert summary["exit"] == "hold"
    last, off = calls(s, "send_action")[-1].t, calls(s, "disengage")[0].t
    assert off - last == pytest.approx(10.0, abs=0.3)


def test_on_exit_hold_leaves_torque_on() -> None:
    s = session(policy={}, flags={"duration": 1.0, "on_exit": "hold"})
    assert s.run()["exit"] == "hold"
    assert not calls(s, "disengage")
    assert s.parts.robot.holding


def test_lost_packets_cost_flagged_rows_not_the_run() -> None:
    s = session(robot={"fault": "lost_packets"}, policy={}, flags={"duration": 4.0})
    summary = s.run()
    assert summary["outcome"] == "done"
    assert sum(summary["rows"].values()) == 120
    assert s.loop.counts.lost["shoulder_pan"] > 0


def test_lost_packets_while_parking_do_not_keep_the_arm_from_its_park_pose() -> None:
    s = session(robot={"fault": "lost_packets", "fault_after": 110}, policy={}, flags={"duration": 4.0})
    summary = s.run()
    assert (summary["outcome"], summary["exit"]) == ("done", "park")


def test_a_bus_that_is_gone_at_connect_moves_nothing_and_closes_everything() -> None:
    s = session(robot={"fault": "bus_gone", "fault_after": 0}, policy={})
    summary = s.run()
    assert (summary["outcome"], summary["exit"]) == ("failed", "release")
    assert not calls(s, "engage")
    assert s.parts.robot.calls[-1].name == "disconnect"


def test_a_frozen_camera_parks_the_arm_unless_it_is_optional() -> None:
    frozen = {"front": {"fault": "frozen"}}
    summary = session(policy={}, camera=frozen, flags={"duration": 10.0}).run()
    assert (summary["outcome"], summary["exit"]) == ("failed", "park")
    assert "front" in summary["reason"]
    frozen["front"]["optional"] = True  # type: ignore[assignment]
    summary = session(policy={}, camera=frozen, flags={"duration": 4.0}).run()
    assert summary["outcome"] == "done"
    assert summary["cameras"]["front"]["stale"] > 60


def test_an_optional_camera_that_is_gone_is_flagged() -> None:
    s = session(policy={}, camera={"front": {"fault": "gone", "optional": True}}, flags={"duration": 4.0})
    assert s.run()["outcome"] == "done"
    assert "stale:front" in s.loop.last_step.observation.flags


def test_a_full_disk_keeps_what_was_saved_and_parks() -> None:
    s = session(
        "record",
        "record",
        teleop={},
        dataset={"num_episodes": 5, "episode_time_s": 1.0, "reset_time_s": 0.0, "fault": "full", "fault_after": 70},
    )
    summary = s.run()
    assert (summary["outcome"], summary["exit"]) == ("failed", "park")
    assert "full" in summary["reason"]
    assert summary["dataset"]["episodes"] >= 2
    assert s.parts.storage.finalized


def test_the_operator_stops_a_run() -> None:
    s = session(policy={}, operator={"scripted": {"type": "scripted", "script": "1.0 stop"}})
    summary = s.run()
    assert (summary["outcome"], summary["reason"]) == ("stopped", "operator")
    assert summary["duration_s"] == pytest.approx(1.0, abs=0.05)


def test_stop_now_switches_torque_off_without_parking() -> None:
    s = session(policy={}, operator={"scripted": {"type": "scripted", "script": "1.0 stop_now"}})
    summary = s.run()
    assert (summary["outcome"], summary["exit"]) == ("stopped", "release")
    last = calls(s, "send_action")[-1].t
    assert calls(s, "disengage")[0].t - last < 0.05


def test_a_second_signal_while_parking_switches_torque_off_at_once() -> None:
    s = session(policy={"amplitude": 0.9}, flags={"duration": 1.2})
    robot_calls = []

    def build_then_watch() -> None:
        s.build()
        send = s.parts.robot.send_action

        def watched(action: Any) -> Any:
            robot_calls.append(action)
            if s.ending.outcome == "done":
                raise StopNow("SIGINT")
            return send(action)

        s.parts.robot.send_action = watched

    s.steps = lambda: tuple(build_then_watch if step == s.build else step for step in type(s).steps(s))  # type: ignore[method-assign]
    summary = s.run()
    assert summary["exit"] == "release"
    assert calls(s, "disengage")


def test_a_signal_before_the_loop_moves_nothing() -> None:
    s = session(policy={})
    s.signals.received = "SIGTERM"
    summary = s.run()
    assert (summary["outcome"], summary["reason"], summary["exit"]) == ("stopped", "SIGTERM", "release")
    assert not calls(s, "send_action")


def test_a_signal_in_the_loop_parks() -> None:
    s = session(policy={}, operator={"fake": {"events": ((1.0, "next"),)}})
    build = s.build

    def build_and_signal() -> None:
        build()
        operator = s.parts.operators["fake"]
        poll = operator.poll

        def signalled() -> Any:
            if events := poll():
                s.signals.received = "SIGINT"
            return events

        operator.poll = signalled  # type: ignore[method-assign]

    s.build = build_and_signal  # type: ignore[method-assign]
    summary = s.run()
    assert (summary["outcome"], summary["reason"], summary["exit"]) == ("stopped", "SIGINT", "park")


def test_a_bug_in_a_strategy_still_parks() -> None:
    s = session(policy={}, flags={"duration": 5.0})

    def broken(step: Any) -> None:
        raise ZeroDivisionError("a bug")

    s.steps = lambda: (
        *[x for x in type(s).steps(s)[:-1]],
        lambda: setattr(s.parts.strategy, "record", broken),
        s.run_loop,
    )  # type: ignore[method-assign]
    summary = s.run()
    assert (summary["outcome"], summary["exit"]) == ("failed", "park")
    assert isinstance(s.ending.error, ZeroDivisionError)


def silent_leader(s: Any, seconds: float) -> None:
    """The leader's bus says nothing for a while, from one second on."""

    def break_it() -> None:
        leader = s.parts.teleoperator
        answer = leader.get_action

        def get_action() -> Any:
            if 1.0 <= s.clock.now() < 1.0 + seconds:
                raise BusError("motor 'elbow_flex' of the leader does not answer", motor="elbow_flex")
            return answer()

        leader.get_action = get_action

    s.steps = lambda: (*type(s).steps(s)[:-1], break_it, s.run_loop)


def test_a_leaders_lost_packets_do_not_end_the_run() -> None:
    s = session("teleoperate", "teleoperate", teleop={}, flags={"duration": 3.0})
    silent_leader(s, 0.3)
    summary = s.run()
    assert (summary["outcome"], sum(summary["rows"].values())) == ("done", 90)


def test_a_dead_leader_parks_the_arm_and_is_named() -> None:
    s = session("teleoperate", "teleoperate", teleop={}, flags={"duration": 3.0})
    silent_leader(s, 9.0)
    summary = s.run()
    assert (summary["outcome"], summary["exit"]) == ("failed", "park")
    assert "elbow_flex" in summary["reason"]
