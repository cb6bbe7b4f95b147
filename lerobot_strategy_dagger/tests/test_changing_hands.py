"""The arm changes hands: at once, without a jump, without the loop waiting; passive, actuated and clutched leaders."""

from __future__ import annotations

from itertools import pairwise

import pytest
from dagger_rig import APART, FPS, Ran, run
from hypothesis import given, settings
from hypothesis import strategies as st
from lerobot_core.errors import BusError
from lerobot_core.fakes.joints import Wave, joint_features
from lerobot_core.fakes.teleoperator import FakeTeleoperator
from lerobot_core.types import Action
from lerobot_strategy_dagger.hands import Hands

JOINTS = joint_features()
HAND = Wave(JOINTS, APART["amplitude"], APART["period_s"], int(APART["seed"])).at(3.0)
LEADERS = {"passive": {}, "actuated": {"actuated": True}, "clutched": {}}


def go(script: str, leader: str = "passive", duration: float = 8.0, **options: object) -> Ran:
    return run(script, duration, teleop=APART | LEADERS[leader], clutch=leader == "clutched", **options)  # type: ignore[arg-type]


def speeding(ran: Ran) -> list[str]:
    """Joints that were asked to move faster than their max_rate from one period to the next."""
    return [
        f"{b.t - ran.steps[0].t:.2f} {key}"
        for a, b in pairwise(ran.steps)
        for key, feature in JOINTS.items()
        if abs(b.requested[key] - a.requested[key]) > (feature.max_rate or 0) / FPS + 1e-6
    ]


@pytest.mark.parametrize("leader", LEADERS)
def test_the_first_human_action_is_sent_within_100_ms(leader: str) -> None:
    for key in (1.0, 1.001, 1.02, 1.0333):
        ran = go(f"{key} takeover; 3 takeover", leader, 4.0)
        first = next(step for step in ran.steps if step.source == "human")
        assert first.t - ran.steps[0].t - key < 0.1
        assert ran.session.loop is not None
        assert ran.session.loop.counts.overruns == 0


@pytest.mark.parametrize("leader", LEADERS)
@pytest.mark.parametrize("multiplier", [1, 4])
def test_no_joint_is_asked_to_go_faster_than_its_rate(leader: str, multiplier: int) -> None:
    ran = go("1 takeover; 4 takeover; 6 pause; 6.5 takeover", leader, flags={"interpolation": multiplier})
    assert speeding(ran) == []


def test_with_a_leader_far_away_it_arrives_all_the_same() -> None:
    ran = go("1 takeover")
    assert ran.at(6.0).requested == pytest.approx(HAND, abs=5.0)
    assert abs(ran.at(1.0).requested["shoulder_pan.pos"] - HAND["shoulder_pan.pos"]) > 30


def test_what_is_requested_during_a_hand_over_is_what_is_sent() -> None:
    ran = go("1 takeover; 5 takeover")
    filtered = [(step.source, step.filtered) for step in ran.steps if step.filtered]
    assert {source for source, _ in filtered} <= {"policy"}
    assert all(step.t - ran.steps[0].t < 1.0 for step in ran.steps if step.filtered)


def test_without_smooth_handover_the_filter_alone_bounds_it() -> None:
    ran = go("1 takeover; 5 takeover", smooth_handover=False)
    assert speeding(ran)
    assert any(step.filtered for step in ran.steps if step.source == "human")


def test_an_actuated_leader_stands_where_the_arm_stands_and_is_limp_in_the_persons_hand() -> None:
    ran = go("3 takeover; 5 takeover", "actuated")
    leader = ran.session.parts.teleoperator
    assert isinstance(leader, FakeTeleoperator)
    assert leader.followed == pytest.approx(ran.steps[-2].sent)
    before = ran.at(2.95)
    assert before.source == "policy"


def test_an_actuated_leader_is_limp_after_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    for name in ("engage", "release"):
        original = getattr(FakeTeleoperator, name)
        monkeypatch.setattr(FakeTeleoperator, name, lambda self, n=name, o=original: (told.append(n), o(self))[1])
    go("1 takeover; 2 takeover", "actuated", 3.0)
    assert told == ["release", "engage", "release", "engage", "release"]


def test_a_leader_that_fails_does_not_keep_the_arm_from_parking(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(self: FakeTeleoperator, action: Action) -> None:
        raise BusError("motor 'a' of the leader did not answer", motor="a")

    monkeypatch.setattr(FakeTeleoperator, "feedback", broken)
    ran = go("", "actuated")
    assert (ran.session.ending.outcome, ran.session.exit) == ("failed", "park")
    assert ran.session.ending.reason.startswith("teleoperator")


# --- the clutch -------------------------------------------------------------------------------------------------------


def test_with_the_clutch_the_arm_does_not_come_to_the_leader() -> None:
    ran = go("1 takeover; 3 takeover", "clutched", 4.0)
    before, after = ran.at(0.95), ran.at(2.9)
    moved = abs(after.requested["shoulder_pan.pos"] - before.sent["shoulder_pan.pos"])
    assert moved < 1.0 < abs(HAND["shoulder_pan.pos"] - before.sent["shoulder_pan.pos"])
    assert after.intervention


def test_the_clutch_key_holds_the_arm_and_lets_it_go_on_from_there() -> None:
    ran = run("1 takeover; 2.5 clutch; 3.5 clutch; 6 stop", 9.0, teleop={"period_s": 8.0})
    held = [step.requested for step in ran.steps if 2.6 < step.t - ran.steps[0].t < 3.4]
    assert all(action == held[0] for action in held)
    assert ran.at(3.6).requested == pytest.approx(held[0], abs=3.0)
    assert ran.at(5.5).requested != pytest.approx(held[0], abs=3.0)
    assert all(step.intervention for step in ran.steps if 1.1 < step.t - ran.steps[0].t < 5.9)
    assert speeding(ran) == []
    assert ran.lengths == [150]


def test_the_clutch_key_means_nothing_while_the_policy_drives() -> None:
    assert run("1 clutch; 2 clutch", 3.0).stretches() == "p"


@given(st.lists(st.floats(-100, 100), min_size=2, max_size=40), st.floats(-100, 100))
@settings(max_examples=100, deadline=None)
def test_an_offset_slips_at_the_end_of_the_range(path: list[float], start: float) -> None:
    pan = {"a.pos": JOINTS["shoulder_pan.pos"]}
    hands = Hands(pan, 1 / FPS, smooth=False, relative=True)
    hands.take({"a.pos": start})
    goals = [hands.shape({"a.pos": value}, 0.0)["a.pos"] for value in path]
    assert goals[0] == pytest.approx(start)
    for (h0, h1), (g0, g1) in zip(pairwise(path), pairwise(goals), strict=True):
        assert -100 <= g1 <= 100
        moved = h1 - h0
        assert g1 == pytest.approx(min(max(g0 + moved, -100), 100), abs=1e-6)


def test_a_gripper_squeezed_shut_is_shut() -> None:
    hands = Hands(JOINTS, 1 / FPS, smooth=False, relative=True)
    arm = dict.fromkeys(JOINTS, 20.0)
    hands.take(arm)
    for opening in (80.0, 40.0, 0.0):
        goal = hands.shape(dict.fromkeys(JOINTS, opening), 0.0)
    assert goal["gripper.pos"] == 0.0
    assert hands.shape(dict.fromkeys(JOINTS, 30.0), 0.0)["gripper.pos"] == 30.0
