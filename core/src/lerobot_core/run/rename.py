"""`--rename-map '{robot_key: policy_key}'`: the policy sees its own names, rows and robot keep theirs."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..batching import predict_chunks
from ..contracts.policy import Policy, RobotAware
from ..types import ActionChunk, Features, Guide, Observation


def renamer(mapping: Mapping[str, str]) -> Callable[[Observation], Observation]:
    """A function that gives an observation the policy's names."""

    def rename(obs: Observation) -> Observation:
        values = {mapping.get(key, key): value for key, value in obs.items()}
        captured = {mapping.get(key, key): t for key, t in obs.captured.items()}
        return Observation(values, obs.time, captured, obs.flags)

    return rename


class RenamedPolicy:
    """A policy that speaks robot keys outside and its own inside; everything else passes through."""

    def __init__(self, policy: Policy, mapping: Mapping[str, str]) -> None:
        self._policy = policy
        self._to_policy = dict(mapping)
        self._to_robot = {policy_key: robot_key for robot_key, policy_key in mapping.items()}
        self._rename = renamer(mapping)

    @property
    def needs(self) -> Features:
        """The policy's, under robot keys."""
        return self._robot_names(self._policy.needs)

    @property
    def gives(self) -> Features:
        """The policy's, under robot keys."""
        return self._robot_names(self._policy.gives)

    def bind(self, observation: Features, action: Features) -> None:
        """The robot's features under the policy's names, for a policy that wants them."""
        if isinstance(self._policy, RobotAware):
            self._policy.bind(self._policy_names(observation), self._policy_names(action))

    def _policy_names(self, features: Features) -> Features:
        return {self._to_policy.get(key, key): feature for key, feature in features.items()}

    def _robot_names(self, features: Features) -> Features:
        return {self._to_robot.get(key, key): feature for key, feature in features.items()}

    def predict_chunk(self, obs: Observation, task: str, guide: Guide | None = None) -> ActionChunk:
        """The policy's chunk under robot keys."""
        if guide is not None:
            guide = dataclasses.replace(guide, names=tuple(self._to_policy.get(name, name) for name in guide.names))
        return self._robot_chunk(self._policy.predict_chunk(self._rename(obs), task, guide))

    def predict_chunks(self, observations: Sequence[Observation], tasks: Sequence[str]) -> list[ActionChunk]:
        """The policy's chunks under robot keys, in one call where it can."""
        found = predict_chunks(self._policy, [self._rename(obs) for obs in observations], tasks)
        return [self._robot_chunk(chunk) for chunk in found]

    def _robot_chunk(self, chunk: ActionChunk) -> ActionChunk:
        return dataclasses.replace(chunk, names=tuple(self._to_robot.get(name, name) for name in chunk.names))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._policy, name)
