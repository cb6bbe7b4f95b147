"""The reward's laws."""

from __future__ import annotations

import math

from ..fakes.joints import joint_features
from ..types import Feature, Features
from .base import PluginConformance
from .samples import observation


class RewardConformance(PluginConformance):
    """A number and a verdict for every observation."""

    kind = "reward"

    def features(self) -> Features:
        """What it judges; override with what the reward needs."""
        return {**joint_features(), "front": Feature("uint8", (48, 64, 3))}

    def judge(self, count: int = 5) -> list[tuple[float, bool]]:
        """One episode of invented observations."""
        reward = self.make()
        reward.reset()
        return [reward(observation(self.features(), index / 30.0, index)) for index in range(count)]

    def test_it_gives_a_number_and_a_verdict(self) -> None:
        """(float, bool), finite."""
        for number, success in self.judge():
            assert isinstance(number, float), f"a reward must be a float, not {type(number).__name__}"
            assert math.isfinite(number), "a reward must be finite"
            assert isinstance(success, bool), f"a reward's verdict must be a bool, not {type(success).__name__}"

    def test_the_same_episode_is_judged_the_same(self) -> None:
        """State ends with the episode."""
        assert self.judge() == self.judge(), "a reward must judge the same episode the same way"

    def test_it_leaves_the_observation_alone(self) -> None:
        """Rows store the same object."""
        reward = self.make()
        reward.reset()
        seen = observation(self.features())
        keys = list(seen)
        reward(seen)
        assert list(seen) == keys, "a reward must not change its observation"
