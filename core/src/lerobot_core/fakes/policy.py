"""A policy that needs no weights: it plans a smooth motion by the clock, and continues a leftover when asked to."""

from __future__ import annotations

import dataclasses
import random
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ..clock import Clock
from ..errors import ContractError
from ..guidance import prefix_weights
from ..types import ActionChunk, Feature, Features, Guide, Observation
from .config import FakePolicyConfig
from .joints import Wave, joint_features


class FakePolicy:
    """Action i of a chunk is the pose of a wave at the observation's time + i/fps, so overlapping chunks agree.

    With `scatter` they do not: like samples of a network that knows several ways, each lies off the wave in its own
    direction. A guided one leaves the leftover by the prefix weights, as smoothly as they fall.

    Attributes:
        calls: chunks asked for.
    """

    ensemble: float | None = None
    stateless = True

    def __init__(self, config: FakePolicyConfig, clock: Clock) -> None:
        self.calls = 0
        self.guidance: Literal["none", "guided"] = "guided" if config.guided else "none"
        self._dice = random.Random(config.scatter_seed)
        self.fps, self.chunk_size = config.fps, config.chunk_size
        self.n_action_steps = min(config.n_action_steps, config.chunk_size)
        self.gives = _action_features(config)
        image = Feature("uint8", (480, 640, 3))
        self.needs: Features = {**self.gives, **dict.fromkeys(config.cameras, image)}
        self._config, self._clock = config, clock
        self._wave = Wave(self.gives, config.amplitude, config.period_s)

    def warmup(self) -> None:
        """Nothing is slow the first time."""

    def reset(self) -> None:
        """There is nothing to forget: the motion depends on the observation's time alone."""

    def predict_chunk(self, obs: Observation, task: str, guide: Guide | None = None) -> ActionChunk:
        """float32 (chunk_size, A), after `latency_s`; fault `raise` raises RuntimeError, `nan` spoils the first key.

        Raises:
            ContractError: the observation lacks a key that the policy needs.
        """
        missing = self.needs.keys() - obs.keys()
        if missing:
            raise ContractError(f"the fake policy needs {', '.join(sorted(missing))}", "the observation has it not")
        self.calls += 1
        if self._config.latency_s:
            self._clock.sleep_until(self._clock.now() + self._config.latency_s)
        faulty = self.calls > self._config.fault_after
        if faulty and self._config.fault == "raise":
            raise RuntimeError("fault raise was asked for")
        step = 1.0 / (self.fps or 30.0)
        poses = [list(self._wave.at(obs.time + i * step).values()) for i in range(self.chunk_size)]
        actions = np.array(poses, dtype=np.float32)
        if self._config.scatter:
            off = [self._dice.uniform(-self._config.scatter, self._config.scatter) for _ in self.gives]
            actions += np.array(off, np.float32)
        if guide is not None and self.guidance == "guided":
            actions = self._continued(actions, guide)
        if faulty and self._config.fault == "nan":
            actions[:, 0] = np.nan
        return ActionChunk(tuple(self.gives), actions, None, obs.time, task, self.calls - 1)

    def _continued(self, actions: NDArray[np.float32], guide: Guide) -> NDArray[np.float32]:
        """`actions` (T, A), pulled to the leftover by its weights."""
        length = min(len(guide.actions), self.chunk_size)
        columns = [guide.names.index(name) for name in self.gives]
        weights = prefix_weights(guide, self.chunk_size)[:length, None]
        actions[:length] += weights * (guide.actions[:length, columns] - actions[:length])
        return actions

    def close(self) -> None:
        """Nothing is held."""


def _action_features(config: FakePolicyConfig) -> Features:
    features = joint_features(config.joints)
    if config.names:
        features = dict.fromkeys(config.names, joint_features(("any",))["any.pos"])
    if config.units is None:
        return features
    return {key: dataclasses.replace(feature, unit=config.units) for key, feature in features.items()}  # type: ignore[arg-type]
