"""Options of `--env pusht`."""

from __future__ import annotations

from dataclasses import dataclass

from lerobot_core.config.fields import option


@dataclass(frozen=True, kw_only=True)
class PushTConfig:
    """How it is drawn, and how long an episode may last."""

    image_size: int = option(96, help="width and height of its picture", unit="px", low=16, high=512)
    max_steps: int = option(300, help="steps before an episode is cut", low=1)
