"""A stage: an env that is asked in two halves, so that several can work at the same time."""

from __future__ import annotations

from typing import Protocol

from lerobot_core.contracts.env import Env, EnvStep
from lerobot_core.types import Action, Features, Observation


class Stage(Protocol):
    """Begin something, then take its result, one at a time."""

    @property
    def observation_features(self) -> Features:
        """As the env's."""

    @property
    def action_features(self) -> Features:
        """As the env's."""

    @property
    def fps(self) -> float:
        """As the env's."""

    @property
    def max_steps(self) -> int:
        """As the env's."""

    @property
    def task(self) -> str:
        """As the env's."""

    def begin(self, seed: int) -> None:
        """Start an episode."""

    def seen(self) -> Observation:
        """What `begin` has shown."""

    def act(self, action: Action) -> None:
        """Start a step."""

    def done(self) -> EnvStep:
        """What `act` has led to."""

    def close(self) -> None:
        """Idempotent."""


class LocalStage:
    """In this process: each half that begins something waits until it is over.

    Args:
        env: the environment.
    """

    def __init__(self, env: Env) -> None:
        self._env = env
        self.observation_features, self.action_features = env.observation_features, env.action_features
        self.fps, self.max_steps, self.task = env.fps, env.max_steps, env.task
        self._seen = Observation()
        self._done: EnvStep | None = None

    def begin(self, seed: int) -> None:
        """`reset`."""
        self._seen = self._env.reset(seed)

    def seen(self) -> Observation:
        """Its observation."""
        return self._seen

    def act(self, action: Action) -> None:
        """`step`."""
        self._done = self._env.step(action)

    def done(self) -> EnvStep:
        """Its result."""
        assert self._done is not None, "`act` comes first"
        return self._done

    def close(self) -> None:
        """`close`."""
        self._env.close()
