"""The acme processor. It smooths actions; replace the arithmetic by your own."""

from __future__ import annotations

from typing import Any, Literal

from lerobot_core.types import Features

from .config import AcmeProcessorConfig


class AcmeProcessor:
    """Runs in the loop's thread: dict in, dict out, nothing changed in place."""

    side: Literal["observation", "action"] = "action"

    def __init__(self, config: AcmeProcessorConfig) -> None:
        self._share = config.share
        self._last: dict[str, float] = {}

    def features(self, features: Features) -> Features:
        """What comes out when these go in."""
        return dict(features)

    def __call__(self, values: dict[str, Any], observation: dict[str, Any]) -> dict[str, Any]:
        """An action, given the observation it answers."""
        self._last = {
            key: self._last.get(key, value) + self._share * (value - self._last.get(key, value))
            for key, value in values.items()
        }
        return dict(self._last)

    def reset(self) -> None:
        """A new episode begins."""
        self._last = {}
