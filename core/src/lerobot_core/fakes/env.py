"""An environment with one task: bring every joint near its target."""

from __future__ import annotations

import random
from typing import Any

import numpy as np

from ..contracts.env import EnvStep
from ..errors import ContractError
from ..types import Action, Feature, Features, Observation
from .config import FakeEnvConfig
from .joints import clamp, joint_features

HEIGHT, WIDTH = 48, 64


class FakeEnv:
    """Joints move towards the action at their max_rate; `target.<joint>` says where they should go.

    The camera `front` (48x64) draws one column pair a joint: red where it is, green where it should be.
    """

    task = "bring every joint to its target"

    def __init__(self, config: FakeEnvConfig) -> None:
        self._config = config
        self._features = joint_features(config.joints)
        self._present: Action = {}
        self._target: Action = {}
        self._steps = 0

    @property
    def observation_features(self) -> Features:
        """Joints, targets and one camera."""
        targets = {_target_key(key): feature for key, feature in self._features.items()}
        return {**self._features, **targets, "front": Feature("uint8", (HEIGHT, WIDTH, 3))}

    @property
    def action_features(self) -> Features:
        """The joints."""
        return dict(self._features)

    @property
    def fps(self) -> float:
        """As configured."""
        return self._config.fps

    @property
    def max_steps(self) -> int:
        """As configured."""
        return self._config.max_steps

    def reset(self, seed: int) -> Observation:
        """Joints at rest at 0, targets in the middle half of each range, drawn with `seed`."""
        dice = random.Random(seed)
        self._steps = 0
        self._present = {key: clamp(0.0, feature) for key, feature in self._features.items()}
        self._target = {key: _draw(dice, feature) for key, feature in self._features.items()}
        return self._observe()

    def step(self, action: Action) -> EnvStep:
        """One period; the reward is minus the largest distance, in the joints' units.

        Raises:
            ContractError: the keys are not exactly the action features, or `reset` was not called.
        """
        if action.keys() != self._features.keys() or not self._present:
            raise ContractError("the fake env takes exactly its joints, after reset", f"got {sorted(action)}")
        self._steps += 1
        for key, feature in self._features.items():
            reach = (feature.max_rate or 0.0) / self.fps
            goal = clamp(action[key], feature)
            self._present[key] += min(max(goal - self._present[key], -reach), reach)
        distance = max(abs(self._present[key] - goal) for key, goal in self._target.items())
        success = distance <= self._config.tolerance
        return EnvStep(self._observe(), -distance, success, not success and self._steps >= self.max_steps, success)

    def close(self) -> None:
        """Nothing is held."""

    def _observe(self) -> Observation:
        values: dict[str, Any] = dict(self._present)
        values |= {_target_key(key): value for key, value in self._target.items()}
        values["front"] = self._draw_front()
        now = self._steps / self.fps
        return Observation(values, now, {"front": now})

    def _draw_front(self) -> np.ndarray[Any, np.dtype[np.uint8]]:
        image = np.full((HEIGHT, WIDTH, 3), 255, dtype=np.uint8)
        for i, (key, feature) in enumerate(self._features.items()):
            column = 2 + (i * (WIDTH - 4)) // len(self._features)
            image[_row(self._present[key], feature), column] = (255, 0, 0)
            image[_row(self._target[key], feature), column + 1] = (0, 255, 0)
        image.flags.writeable = False
        return image


def _target_key(key: str) -> str:
    return f"target.{key.removesuffix('.pos')}"


def _span(feature: Feature) -> tuple[float, float]:
    return (-1.0 if feature.low is None else feature.low, 1.0 if feature.high is None else feature.high)


def _draw(dice: random.Random, feature: Feature) -> float:
    low, high = _span(feature)
    return dice.uniform(0.75 * low + 0.25 * high, 0.25 * low + 0.75 * high)


def _row(value: float, feature: Feature) -> int:
    low, high = _span(feature)
    return int((HEIGHT - 1) * (value - low) / (high - low))
