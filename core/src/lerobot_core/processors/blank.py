"""`blank`: every picture becomes one colour, for control runs that show whether a policy looks at its cameras."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ..errors import ConfigError
from ..types import Features
from .config import BlankConfig


class BlankProcessor:
    """Policy, rows and observers see the blank picture; joints, times and flags stay as they are.

    Args:
        config: which cameras, and the colour.
    """

    side: Literal["observation", "action"] = "observation"

    def __init__(self, config: BlankConfig) -> None:
        self._config = config
        self._blank: dict[str, NDArray[np.uint8]] = {}

    def features(self, features: Features) -> Features:
        """Unchanged.

        Raises:
            ConfigError: there is no such camera, or none at all: the control run would control nothing.
        """
        there = [key for key, feature in features.items() if feature.is_image]
        unknown = sorted({*self._config.cameras} - {*there})
        if unknown or not there:
            what = f"no camera {', '.join(unknown)} to blank" if unknown else "there is no camera to blank"
            raise ConfigError(what, f"cameras: {', '.join(there) or 'none'}")
        for key in self._config.cameras or there:
            self._blank[key] = np.full(features[key].shape, self._config.value, np.uint8)
            self._blank[key].flags.writeable = False
        return dict(features)

    def __call__(self, values: dict[str, Any], observation: dict[str, Any]) -> dict[str, Any]:
        """The observation with its pictures replaced."""
        return values | {key: image for key, image in self._blank.items() if key in values}

    def reset(self) -> None:
        """Nothing is remembered."""
