"""A gymnasium environment as an `Env`: names for its columns, fresh pictures, one seed an episode.

Nothing of gymnasium is imported here; a plugin makes the environment and says what its numbers are called.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .contracts.env import EnvStep
from .errors import ContractError
from .names import name_diff
from .types import Action, Features, Observation

Read = Callable[[Any], Mapping[str, Any]]


class GymnasiumEnv:
    """An `Env` over a `gymnasium.Env` whose action is one vector (`Box`).

    Args:
        env: the environment, with its own time limit (`gymnasium.make` adds one).
        observation: what `read` gives.
        action: names of the action vector's columns, in their order.
        read: the environment's observation -> numbers and uint8 (H, W, 3) RGB pictures by name.
        fps: steps a second of simulated time.
        max_steps: its time limit.
        task: the instruction.
        success: the key of `info` that says whether the task is done.
    """

    def __init__(
        self,
        env: Any,
        observation: Features,
        action: Features,
        read: Read,
        *,
        fps: float,
        max_steps: int,
        task: str = "",
        success: str = "is_success",
    ) -> None:
        self._env: Any = env
        self.observation_features, self.action_features = dict(observation), dict(action)
        self.fps, self.max_steps, self.task = fps, max_steps, task
        self._read, self._success = read, success
        self._steps, self._running = 0, False

    def reset(self, seed: int) -> Observation:
        """Start an episode; only the seed decides how.

        Raises:
            ContractError: closed.
        """
        if self._env is None:
            raise ContractError("the env is closed", fix="make another")
        seen, _ = self._env.reset(seed=seed)
        self._steps, self._running = 0, True
        return self._observe(seen)

    def step(self, action: Action) -> EnvStep:
        """One period.

        Raises:
            ContractError: other names than the action features, a value that is no number, or no episode to step in.
        """
        vector = self._vector(action)
        seen, reward, terminated, truncated, info = self._env.step(vector)
        self._steps += 1
        self._running = not (terminated or truncated)
        success = bool(info.get(self._success, False))
        return EnvStep(self._observe(seen), float(reward), bool(terminated), bool(truncated), success)

    def close(self) -> None:
        """Idempotent."""
        env, self._env, self._running = self._env, None, False
        if env is not None:
            env.close()

    def _vector(self, action: Action) -> NDArray[Any]:
        if action.keys() != self.action_features.keys():
            raise ContractError("the action's names are not the env's", name_diff(tuple(self.action_features), action))
        if not self._running:
            raise ContractError("there is no episode to step in", "it has ended, or none has begun", "reset the env")
        odd = [key for key, value in action.items() if not math.isfinite(value)]
        if odd:
            raise ContractError(f"{action[odd[0]]} for {odd[0]!r}", "an action must be a finite number")
        return np.array([action[key] for key in self.action_features], self._env.action_space.dtype)

    def _observe(self, seen: Any) -> Observation:
        now = self._steps / self.fps
        values = {key: _owned(value) for key, value in self._read(seen).items()}
        pictures = (key for key, feature in self.observation_features.items() if feature.is_image)
        return Observation(values, now, dict.fromkeys(pictures, now))


def _owned(value: Any) -> Any:
    """A number as a float; a picture that nobody else holds, read-only."""
    if np.ndim(value) == 0:
        return float(value)
    image = np.array(value, np.uint8, order="C")
    image.flags.writeable = False
    return image
