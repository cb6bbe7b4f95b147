"""The joints that every fake agrees on."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence

from ..types import Action, Feature, Features

ARM = ("shoulder_pan", "shoulder_lift", "elbow_flex", "wrist_flex", "wrist_roll", "gripper")


def joint_features(joints: Sequence[str] = ARM) -> Features:
    """`<joint>.pos` features: degrees within +-100 at 180 deg/s, a gripper in pct of its opening at 200 pct/s."""
    arm = Feature("float32", (), "deg", -100.0, 100.0, 180.0)
    gripper = Feature("float32", (), "pct", 0.0, 100.0, 200.0)
    return {f"{joint}.pos": gripper if joint == "gripper" else arm for joint in joints}


def clamp(value: float, feature: Feature) -> float:
    """`value` inside the feature's range; an unbounded side clamps nothing."""
    low = -math.inf if feature.low is None else feature.low
    high = math.inf if feature.high is None else feature.high
    return min(max(value, low), high)


class Wave:
    """A smooth motion as a pure function of time, so that two who know the clock agree on it.

    Args:
        features: the keys to move; the motion is centred in each range (0 where unbounded).
        amplitude: fraction of half the range.
        period: seconds of one swing.
        seed: phases; 0 starts every key at its centre at t = 0.
    """

    def __init__(self, features: Features, amplitude: float, period: float, seed: int = 0) -> None:
        dice = random.Random(seed)
        self._omega = 2.0 * math.pi / period
        self._terms = [
            (key, *_centre_and_swing(feature, amplitude), dice.uniform(0.0, 2.0 * math.pi) if seed else 0.0)
            for key, feature in features.items()
        ]

    def at(self, t: float) -> Action:
        """The pose at `t` seconds."""
        return {key: centre + swing * math.sin(self._omega * t + phase) for key, centre, swing, phase in self._terms}


def _centre_and_swing(feature: Feature, amplitude: float) -> tuple[float, float]:
    if feature.low is None or feature.high is None:
        return 0.0, amplitude
    return (feature.high + feature.low) / 2.0, amplitude * (feature.high - feature.low) / 2.0
