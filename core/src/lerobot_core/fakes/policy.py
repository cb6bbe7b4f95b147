"""A policy that needs no weights: it plans a smooth motion by the clock."""

from __future__ import annotations

import dataclasses
from typing import Literal

import numpy as np

from ..clock import Clock
from ..errors import ContractError
from ..types import ActionChunk, Feature, Features, Guide, Observation
from .config import FakePolicyConfig
from .joints import Wave, joint_features


class FakePolicy:
    """Action i of a chunk is the pose of a wave at the observation's time + i/fps, so overlapping chunks agree.

    Attributes:
        calls: chunks asked for.
    """

    ensemble: float | None = None
    guidance: Literal["none", "guided", "trained"] = "none"
    stateless = True

    def __init__(self, config: FakePolicyConfig, clock: Clock) -> None:
        self.calls = 0
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
        if faulty and self._config.fault == "nan":
            actions[:, 0] = np.nan
        return ActionChunk(tuple(self.gives), actions, None, obs.time, task, self.calls - 1)

    def close(self) -> None:
        """Nothing is held."""


def _action_features(config: FakePolicyConfig) -> Features:
    features = joint_features(config.joints)
    if config.names:
        features = dict.fromkeys(config.names, joint_features(("any",))["any.pos"])
    if config.units is None:
        return features
    return {key: dataclasses.replace(feature, unit=config.units) for key, feature in features.items()}  # type: ignore[arg-type]
