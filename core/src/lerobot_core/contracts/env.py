"""Env: a simulated task for `lr eval`; reset, step, reward, success."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from ..types import Action, Features, Observation


@dataclass(frozen=True, slots=True)
class EnvStep:
    """One step's result; `terminated` by the task, `truncated` by the time limit."""

    observation: Observation
    reward: float
    terminated: bool
    truncated: bool
    success: bool


@runtime_checkable
class Env(Protocol):
    """Deterministic for a seed."""

    @property
    def observation_features(self) -> Features:
        """Cameras included."""

    @property
    def action_features(self) -> Features:
        """What `step` takes."""

    @property
    def fps(self) -> float:
        """Steps a second of simulated time."""

    @property
    def max_steps(self) -> int:
        """Length of an episode that does not end by itself."""

    @property
    def task(self) -> str:
        """The instruction."""

    def reset(self, seed: int) -> Observation:
        """Start an episode."""

    def step(self, action: Action) -> EnvStep:
        """Advance one period."""

    def close(self) -> None:
        """Idempotent."""
