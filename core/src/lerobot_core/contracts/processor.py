"""Processor: a robot-side step, dict to dict, for observations or actions; never for tensors."""

from __future__ import annotations

from typing import Any, Literal, Protocol, runtime_checkable

from ..types import Features


@runtime_checkable
class Processor(Protocol):
    """Runs in the loop's thread; must not block."""

    side: Literal["observation", "action"]

    def features(self, features: Features) -> Features:
        """What comes out when `features` go in; called once, before anything moves."""

    def __call__(self, values: dict[str, Any], observation: dict[str, Any]) -> dict[str, Any]:
        """Transform an observation, or an action given the observation it answers."""

    def reset(self) -> None:
        """A new episode begins."""
