"""What the leader's pose means for the arm while the person drives."""

from __future__ import annotations

from lerobot_core.strategies.handover import Handover
from lerobot_core.types import Action, Feature, Features


class Hands:
    """The person's pose as the arm's goal: absolute, or by how far the leader has moved since the clutch was let in.

    Args:
        features: the robot's action features.
        period: seconds between two ticks.
        smooth: the arm comes to where the person wants it in small steps.
        relative: begin every correction with the clutch; else the `clutch` key does.
    """

    def __init__(self, features: Features, period: float, smooth: bool, relative: bool) -> None:
        self._features, self._smooth, self._begin_relative = features, smooth, relative
        self._handover = Handover(features, period)
        self._arm: Action = {}
        self._offset: Action | None = None
        self._relative = self._out = False

    @property
    def out(self) -> bool:
        """The clutch is out: the arm stays, whatever the leader does."""
        return self._out

    def take(self, arm: Action) -> None:
        """The person drives from the next call of `shape` on; the arm is at `arm`."""
        self._out = False
        self._grip(arm, self._begin_relative)

    def clutch(self, arm: Action) -> None:
        """Out when it was in; back in, the arm goes on from `arm`, wherever the leader has been put meanwhile."""
        self._out = not self._out
        if not self._out:
            self._grip(arm, relative=True)

    def shape(self, hand: Action, t: float) -> Action:
        """The arm's goal for the person's pose `hand`."""
        if self._out and self._arm:
            return dict(self._arm)
        self._arm = self._handover(self._moved(hand) if self._relative else hand, t)
        return self._arm

    def _grip(self, arm: Action, relative: bool) -> None:
        self._arm, self._relative, self._offset = dict(arm), relative, None
        if self._smooth:
            self._handover.begin(arm)

    def _moved(self, hand: Action) -> Action:
        """`hand` plus the offset between arm and leader when the clutch was let in.

        At the end of a joint's range the offset slips, as a mouse does at the edge of the screen: moving back takes
        effect at once, and a gripper that was closed all the way closes all the way.
        """
        if self._offset is None:
            self._offset = {key: self._arm.get(key, value) - value for key, value in hand.items()}
        goal = {key: _inside(value + self._offset[key], self._features[key]) for key, value in hand.items()}
        self._offset = {key: goal[key] - value for key, value in hand.items()}
        return goal


def _inside(value: float, feature: Feature) -> float:
    low, high = feature.low, feature.high
    value = value if low is None else max(value, low)
    return value if high is None else min(value, high)
