"""Random changes of images (see `image_transforms`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .config import TransformsConfig


class Augment:
    """Placeholder of the changes; filled in below."""

    def __init__(self, config: TransformsConfig, seed: int) -> None:
        self._config, self._seed = config, seed

    def __call__(self, images: Mapping[str, Any], place: int) -> dict[str, Any]:
        """The images changed."""
        return dict(images)
