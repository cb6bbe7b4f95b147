"""Options of `--strategy sentry`."""

from __future__ import annotations

from dataclasses import dataclass

from lerobot_core.config.fields import option
from lerobot_core.strategies.config import StrategyConfig


@dataclass(frozen=True, kw_only=True)
class SentryConfig(StrategyConfig):
    """How long an episode is, and whether anything is published."""

    target_video_file_size_mb: float = option(
        200.0, help="size of one camera's video at which an episode ends", unit="MB", low=1.0
    )
    upload_every_n_episodes: int = option(
        0, help="publish in the background after every so many episodes; 0: never", low=0
    )
