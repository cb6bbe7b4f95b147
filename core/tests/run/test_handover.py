"""The hand-over: bounded, below the filter's ramp, over when the arm has arrived; and the leader that follows the arm."""

from __future__ import annotations

import itertools
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lerobot_core.errors import BusError, DeviceError
from lerobot_core.fakes.config import FakeTeleoperatorConfig
from lerobot_core.fakes.joints import joint_features
from lerobot_core.fakes.teleoperator import FakeTeleoperator
from lerobot_core.run.motion import UNKNOWN_RATE
from lerobot_core.run.patience import BUS_TOLERANCE_S
from lerobot_core.safety import SafetyFilter
from lerobot_core.strategies.handover import Handover, Leader
from lerobot_core.types import Action, Feature, Observation, Tick
from lerobot_core.virtual_clock import VirtualClock

JOINTS = joint_features(("pan", "gripper"))
PERIOD = 1 / 30

POSES = st.fixed_dictionaries({"pan.pos": st.floats(-100, 100), "gripper.pos": st.floats(0, 100)})


@given(POSES, st.lists(POSES, min_size=1, max_size=120))
@settings(max_examples=60, deadline=None)
def test_no_request_is_faster_than_the_filter_lets_through(start: Action, wanted: list[Action]) -> None:
    handover, safety, last = Handover(JOINTS, PERIOD), SafetyFilter(JOINTS), start
    safety.note_source("policy", 0.0)
    safety.apply(start, start, PERIOD)
    safety.sent(start)
    handover.begin(start)
    for i, goal in enumerate(wanted):
        during = not handover.over
        action = handover(goal, i * PERIOD)
        safety.note_source("human", i * PERIOD)
        _, found = safety.apply(action, start, PERIOD)
        safety.sent(action)
        if during:
            assert not found
            assert all(abs(action[key] - last[key]) <= JOINTS[key].max_rate * PERIOD for key in action)  # type: ignore[operator]
        last = action


def test_it_arrives_and_then_passes_everything_on() -> None:
    handover = Handover(JOINTS, PERIOD)
    far, start = {"pan.pos": 90.0, "gripper.pos": 100.0}, {"pan.pos": -90.0, "gripper.pos": 0.0}
    assert handover.over
    handover.begin(start)
    ticks = 0
    while not handover.over:
        action = handover(far, ticks * PERIOD)
        ticks += 1
    assert action == far
    assert 1.0 < ticks * PERIOD < 2.0
    assert handover(start, 9.0) == start


def test_the_first_second_is_bounded_also_when_the_arm_is_there_already() -> None:
    handover, there = Handover(JOINTS, PERIOD), {"pan.pos": 0.0, "gripper.pos": 50.0}
    handover.begin(there)
    assert handover(there) == there
    assert not handover.over
    assert abs(handover({**there, "pan.pos": 50.0})["pan.pos"]) < 1.0


def test_what_is_no_number_is_the_filters_business() -> None:
    handover, there = Handover(JOINTS, PERIOD), {"pan.pos": 0.0, "gripper.pos": 50.0}
    handover.begin(there)
    assert math.isnan(handover({**there, "pan.pos": math.nan})["pan.pos"])
    assert 0.0 < handover({**there, "pan.pos": 50.0})["pan.pos"] < 1.0


def test_a_joint_that_does_not_say_its_rate() -> None:
    handover = Handover({"a": Feature()}, PERIOD)
    handover.begin({"a": 0.0})
    steps = [handover({"a": 1000.0})["a"] for _ in range(40)]
    assert steps[-1] - steps[-2] <= UNKNOWN_RATE * PERIOD


# --- the leader -------------------------------------------------------------------------------------------------------


class Watched(FakeTeleoperator):
    """Writes down what it was told, and fails when asked to."""

    def __init__(self, actuated: bool = True) -> None:
        super().__init__(FakeTeleoperatorConfig(joints=("pan", "gripper"), actuated=actuated), VirtualClock())
        self.told: list[str] = []
        self.broken = False
        self.connect()

    def engage(self) -> None:
        self._hear("engage")
        super().engage()

    def release(self) -> None:
        self._hear("release")
        super().release()

    def feedback(self, action: Action) -> None:
        self._hear("feedback")
        super().feedback(action)

    def _hear(self, what: str) -> None:
        if self.broken:
            raise BusError("motor 'pan' did not answer", motor="pan")
        self.told.append(what)


def tick(i: int, leader: FakeTeleoperator, sent: Action | None, **seen: float) -> Tick:
    return Tick(i, i * PERIOD, Observation(seen), (), leader.get_action(), sent)


def followed(leader: Any, arm: Action, ticks: int) -> list[Action]:
    hand, places = Leader(leader, JOINTS, PERIOD, mirror=True), []
    for i in range(ticks):
        hand.follow(tick(i, leader, arm))
        places.append(leader.followed)
    return places


def test_an_actuated_leader_comes_to_the_arm_in_small_steps() -> None:
    leader, arm = Watched(), {"pan.pos": 60.0, "gripper.pos": 10.0}
    places = followed(leader, arm, 90)
    assert places[-1] == arm
    assert max(abs(b["pan.pos"] - a["pan.pos"]) for a, b in itertools.pairwise(places)) <= 180 * PERIOD
    assert leader.told[:2] == ["engage", "feedback"]


def test_before_the_first_action_it_goes_where_the_arm_stands() -> None:
    leader = Watched()
    hand = Leader(leader, JOINTS, PERIOD, mirror=True)
    for i in range(60):
        hand.follow(tick(i, leader, None, **{"pan.pos": 7.0, "gripper.pos": 3.0}))
    assert leader.followed == {"pan.pos": 7.0, "gripper.pos": 3.0}


def test_it_goes_limp_once_and_stiff_again_where_it_is() -> None:
    leader, arm = Watched(), {"pan.pos": 0.0, "gripper.pos": 50.0}
    hand = Leader(leader, JOINTS, PERIOD, mirror=True)
    hand.let_go()
    hand.follow(tick(0, leader, arm))
    hand.let_go()
    hand.let_go()
    hand.follow(tick(1, leader, arm))
    assert leader.told == ["engage", "feedback", "release", "engage", "feedback"]


@pytest.mark.parametrize(("actuated", "mirror"), [(False, True), (True, False)])
def test_a_leader_that_cannot_or_shall_not_follow_is_left_alone(actuated: bool, mirror: bool) -> None:
    leader = Watched(actuated)
    hand = Leader(leader, JOINTS, PERIOD, mirror)
    hand.follow(tick(0, leader, {"pan.pos": 9.0, "gripper.pos": 1.0}))
    hand.let_go()
    Leader(None, JOINTS, PERIOD, mirror).follow(tick(0, leader, None))
    assert leader.told == []


def test_lost_packets_are_forgiven_for_a_while_and_are_never_the_robots() -> None:
    leader, arm = Watched(), {"pan.pos": 0.0, "gripper.pos": 50.0}
    hand = Leader(leader, JOINTS, PERIOD, mirror=True)
    hand.follow(tick(0, leader, arm))
    leader.broken = True
    patient = int(BUS_TOLERANCE_S / PERIOD)
    for i in range(1, patient):
        hand.follow(tick(i, leader, arm))
    with pytest.raises(DeviceError, match="teleoperator") as caught:
        hand.follow(tick(patient + 2, leader, arm))
    assert not isinstance(caught.value, BusError)
    with pytest.raises(DeviceError, match="teleoperator") as caught:
        hand.let_go()
    assert not isinstance(caught.value, BusError)
