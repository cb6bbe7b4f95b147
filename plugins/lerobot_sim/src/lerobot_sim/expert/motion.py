"""How a hand moves: smooth reaches that land a little off, and a tremor on top."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from .kinematics import Angles

TREMOR_DEG, TREMOR_S = 0.25, 0.15
"""Standard deviation and correlation time of the tremor, each joint."""


@dataclass(frozen=True)
class Reach:
    """One minimum-jerk movement (Flash and Hogan, 1985) between two postures.

    Attributes:
        start, end: postures.
        began: seconds.
        seconds: how long it takes.
    """

    start: Angles
    end: Angles
    began: float
    seconds: float

    def at(self, t: float) -> Angles:
        """The posture at `t`; the end's once it is over."""
        x = min(max((t - self.began) / self.seconds, 0.0), 1.0)
        share = x * x * x * (10 - 15 * x + 6 * x * x)
        return {name: value + share * (self.end[name] - value) for name, value in self.start.items()}

    def over(self, t: float) -> bool:
        """True from the end on."""
        return t >= self.began + self.seconds


class Tremor:
    """Smooth noise, one value a joint: an Ornstein-Uhlenbeck process.

    Args:
        names: the joints.
        size: factor on the usual tremor.
        rng: its source of chance.
    """

    def __init__(self, names: tuple[str, ...], size: float, rng: np.random.Generator) -> None:
        self._names, self._size, self._rng = names, size * TREMOR_DEG, rng
        self._value = np.zeros(len(names))

    def step(self, dt: float) -> Angles:
        """`dt` seconds later."""
        keep = math.exp(-max(dt, 0.0) / TREMOR_S)
        noise = self._rng.normal(0.0, self._size * math.sqrt(1 - keep * keep), len(self._names))
        self._value = keep * self._value + noise
        return dict(zip(self._names, self._value.tolist(), strict=True))
