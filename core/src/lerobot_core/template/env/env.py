"""The acme env. One slider that should come to rest at its goal: replace it by your simulator."""

from __future__ import annotations

import random

from lerobot_core.contracts.env import EnvStep
from lerobot_core.errors import ContractError
from lerobot_core.types import Action, Feature, Features, Observation

from .config import AcmeEnvConfig

SLIDER = Feature(unit="m", low=0.0, high=1.0, max_rate=1.0)


class AcmeEnv:
    """Deterministic for a seed."""

    fps = 30.0
    task = "bring the slider to its goal"

    def __init__(self, config: AcmeEnvConfig) -> None:
        self.max_steps = config.max_steps
        self._slider = self._goal = 0.0
        self._steps = 0

    @property
    def observation_features(self) -> Features:
        """Cameras too, where it has any."""
        return {"slider.pos": SLIDER, "goal": SLIDER}

    @property
    def action_features(self) -> Features:
        """What `step` takes."""
        return {"slider.pos": SLIDER}

    def reset(self, seed: int) -> Observation:
        """Start an episode; the same seed is the same episode."""
        self._slider, self._goal, self._steps = 0.0, random.Random(seed).uniform(0.2, 1.0), 0
        return self._observe()

    def step(self, action: Action) -> EnvStep:
        """Advance one period."""
        if action.keys() != self.action_features.keys():
            raise ContractError(
                f"the acme env takes {', '.join(self.action_features)}", f"it was sent {', '.join(action)}"
            )
        reach = 1.0 / self.fps
        self._slider += min(max(action["slider.pos"] - self._slider, -reach), reach)
        self._steps += 1
        distance = abs(self._slider - self._goal)
        success = distance < 0.01
        return EnvStep(self._observe(), -distance, success, not success and self._steps >= self.max_steps, success)

    def close(self) -> None:
        """Nothing is held."""

    def _observe(self) -> Observation:
        return Observation({"slider.pos": self._slider, "goal": self._goal}, self._steps / self.fps)
