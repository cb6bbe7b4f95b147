"""The robot's laws."""

from __future__ import annotations

from typing import Any, ClassVar

from ..types import Action, Features, Observation
from .base import DeviceConformance, accepted, not_exercised, refused
from .samples import bounds, misfits, unlawful


class RobotConformance(DeviceConformance):
    """Names and units, the lifecycle's order, actions by name, and what is left behind.

    Engages the robot and moves it by at most 1 % of each range. `may_move` allows more: set it for emulated robots only.
    """

    kind = "robot"
    may_move: ClassVar[bool] = False

    def engaged(self, **more: Any) -> Any:
        """A connected robot that may move; closed after the test."""
        robot = self.connected(**more)
        robot.engage()
        return robot

    def still(self, robot: Any) -> Action:
        """The action that asks for the pose it is in; override where an action key is not observed."""
        seen = robot.get_observation()
        return {key: float(seen.get(key, 0.0)) for key in robot.action_features}

    def test_its_features_are_known_before_it_is_connected(self) -> None:
        """A plan is checked by name and unit before anything is opened."""
        robot = self.make()
        observed, acted = robot.observation_features, robot.action_features
        assert acted, "a robot must have action features"
        wrong = unlawful(observed) + unlawful(acted)
        assert not wrong, f"a robot's features must be lawful: {'; '.join(wrong)}"
        unitless = sorted(key for key, feature in {**observed, **acted}.items() if feature.unit is None)
        assert not unitless, f"a robot must say the unit of every key: {', '.join(unitless)}"
        images = sorted(key for key, feature in observed.items() if feature.is_image)
        assert not images, f"cameras belong to the run and not to the robot: {', '.join(images)}"

    def test_every_position_has_a_range_and_a_speed(self) -> None:
        """The safety filter clips to the first and caps the second."""
        positions = {key: f for key, f in self.make().action_features.items() if key.endswith(".pos")}
        free = sorted(key for key, f in positions.items() if None in (f.low, f.high, f.max_rate))
        assert not free, f"every .pos action must declare low, high and max_rate: {', '.join(free)}"

    def test_every_position_is_observed_in_the_same_unit(self) -> None:
        """The first action is limited from where the joint is."""
        robot = self.make()
        observed = robot.observation_features
        blind = [
            key
            for key, feature in robot.action_features.items()
            if key.endswith(".pos") and (key not in observed or observed[key].unit != feature.unit)
        ]
        assert not blind, f"every .pos action must be observed in its own unit: {', '.join(blind)}"

    def test_connecting_does_not_engage(self) -> None:
        """connect = may read, engage = may move."""
        robot = self.connected()
        assert not robot.is_engaged, "a robot must not be engaged by connect()"
        robot.engage()
        assert robot.is_engaged, "a robot must be engaged after engage()"
        robot.disengage()
        assert not robot.is_engaged, "a robot must not be engaged after disengage()"
        assert robot.is_connected, "a robot must stay connected after disengage()"

    def test_nothing_moves_before_engage(self) -> None:
        """`send_action` needs the permission to move."""
        robot = self.connected()
        still = self.still(robot)
        refused(lambda: robot.send_action(still), "a robot must refuse send_action before engage()")

    def test_nothing_is_read_before_connect(self) -> None:
        """An observation out of nowhere would be a lie."""
        refused(lambda: self.make().get_observation(), "a robot must refuse get_observation before connect()")

    def test_observations_hold_exactly_the_declared_keys(self) -> None:
        """Names, floats, and the clock's time."""
        robot = self.connected()
        before = self.clock.now()
        seen = robot.get_observation()
        assert isinstance(seen, Observation), f"get_observation must return an Observation, not {type(seen).__name__}"
        wrong = misfits(seen, robot.observation_features)
        assert not wrong, f"an observation must hold exactly the declared features: {'; '.join(wrong)}"
        assert before <= seen.time <= self.clock.now(), "an observation's time must be the clock's, at reading"

    def test_observations_are_fresh(self) -> None:
        """The caller may keep and change what it got."""
        robot = self.connected()
        first = robot.get_observation()
        kept = dict(first)
        second = robot.get_observation()
        assert second is not first, "get_observation must return a new object each time"
        assert dict(first) == kept, "an observation must not change after it was returned"

    def test_it_tells_what_it_sent(self) -> None:
        """Rows store what the motors were told."""
        robot = self.engaged()
        sent = robot.send_action(self.still(robot))
        wrong = misfits(sent, robot.action_features)
        assert not wrong, f"send_action must return every action key as a float: {'; '.join(wrong)}"

    def test_what_it_sends_stays_in_its_range(self) -> None:
        """It clamps; the declared range is the truth. Drives every joint to both ends at full speed."""
        if not self.may_move:
            not_exercised("set may_move = True where nobody can be hurt")
        robot = self.engaged()
        for key, feature in robot.action_features.items():
            if feature.low is None or feature.high is None:
                continue
            span = feature.high - feature.low
            for beyond in (feature.low - 0.1 * span, feature.high + 0.1 * span):
                sent = robot.send_action({**self.still(robot), key: beyond})[key]
                # Device steps are coarser than floats: an encoder of 4096 steps has 0.09 degrees.
                inside = feature.low - 1e-3 * span <= sent <= feature.high + 1e-3 * span
                assert inside, (
                    f"what is sent must stay in the declared range: {key} was sent {sent}, asked for {beyond}"
                )

    def test_actions_are_matched_by_name(self) -> None:
        """The order of keys means nothing."""
        robot = self.engaged()
        nudged = _nudged(self.still(robot), robot.action_features)
        forwards = robot.send_action(nudged)
        backwards = robot.send_action(dict(reversed(nudged.items())))
        assert forwards == backwards, "the order of an action's keys must mean nothing"

    def test_a_missing_or_unknown_key_is_an_error(self) -> None:
        """Half an action is not an action."""
        robot = self.engaged()
        still = self.still(robot)
        short = dict(list(still.items())[1:])
        refused(lambda: robot.send_action(short), "a robot must refuse an action that lacks a key")
        refused(
            lambda: robot.send_action({**still, "no_such_joint.pos": 0.0}),
            "a robot must refuse an action with an unknown key",
        )

    def test_its_park_pose_is_one_it_can_take(self) -> None:
        """None means the pose at engage."""
        robot = self.make()
        pose, acted = robot.park_pose, robot.action_features
        for key, goal in (pose or {}).items():
            assert key in acted, f"a park pose must use action keys: {key} is none"
            low, high = acted[key].low, acted[key].high
            inside = (low is None or low <= goal) and (high is None or goal <= high)
            assert inside, f"a park pose must be in range: {key} = {goal}"

    def test_disengage_is_idempotent(self) -> None:
        """Exit paths overlap."""
        robot = self.engaged()
        robot.disengage()
        accepted(robot.disengage, "a robot must allow disengage() twice")

    def test_disconnecting_disengages(self) -> None:
        """No way out leaves torque on by accident."""
        robot = self.engaged()
        robot.disconnect()
        assert not robot.is_engaged, "a robot must not be engaged after disconnect()"


def _nudged(action: Action, features: Features) -> Action:
    """Another value for every key, each at most 1 % of its range away, towards the middle."""
    nudged = dict(action)
    for i, (key, feature) in enumerate(features.items(), 1):
        low, high = bounds(feature)
        step = 0.01 * (high - low) * i / len(features)
        nudged[key] += step if nudged[key] < (low + high) / 2 else -step
    return nudged
