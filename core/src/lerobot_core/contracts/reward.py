"""Reward: judges an observation, for labels and for evaluation on a robot."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from ..types import Observation


@runtime_checkable
class Reward(Protocol):
    """Stateful within an episode."""

    def reset(self) -> None:
        """A new episode begins."""

    def __call__(self, observation: Observation) -> tuple[float, bool]:
        """Reward of this observation, and whether the task has succeeded."""
