"""Slow moves made by core itself: going to a pose, parking, and holding when parking is not safe."""

from __future__ import annotations

from ..types import Action, Features

PARK_FRACTION = 0.25
"""Parking never exceeds this share of a joint's max_rate."""
PARK_LIMIT_S = 5.0
UNKNOWN_RATE = 60.0
"""Units a second assumed for a joint whose spec gives no max_rate."""
STALL_FRACTION = 0.15
"""A joint that lags its command by this share of its range while parking counts as stalled."""


class Glide:
    """A straight line in joint space from `start` to `target`, lasting `seconds`."""

    def __init__(self, start: Action, target: Action, seconds: float, t: float) -> None:
        self.start, self.target, self.began = dict(start), dict(target), t
        self.seconds = max(seconds, 0.0)

    def at(self, t: float) -> Action:
        """The pose at time `t`; the target from the end on."""
        if t >= self.began + self.seconds or not self.seconds:
            return dict(self.target)
        share = (t - self.began) / self.seconds
        return {key: value + share * (self.target[key] - value) for key, value in self.start.items()}

    def over(self, t: float) -> bool:
        """True once the target has been reached."""
        return t >= self.began + self.seconds


def travel_time(start: Action, target: Action, features: Features, fraction: float = PARK_FRACTION) -> float:
    """Seconds the slowest joint needs from `start` to `target` at `fraction` of its max_rate."""
    times = (abs(target[key] - start[key]) / (fraction * (features[key].max_rate or UNKNOWN_RATE)) for key in target)
    return max(times, default=0.0)


def shorten(start: Action, target: Action, share: float) -> Action:
    """The point `share` (0..1) of the way from `start` to `target`."""
    return {key: start[key] + share * (target[key] - start[key]) for key in target}


def stalled(present: Action, commanded: Action, features: Features) -> str | None:
    """The first joint that lags its command by more than `STALL_FRACTION` of its range, None when all follow."""
    for key, goal in commanded.items():
        feature = features[key]
        if feature.low is None or feature.high is None or key not in present:
            continue
        if abs(present[key] - goal) > STALL_FRACTION * (feature.high - feature.low):
            return key
    return None
