"""Options of `--strategy dagger`."""

from __future__ import annotations

from dataclasses import dataclass

from lerobot_core.config.fields import option
from lerobot_core.strategies.config import StrategyConfig


@dataclass(frozen=True, kw_only=True)
class DaggerConfig(StrategyConfig):
    """What is recorded, and how the arm changes hands."""

    num_episodes: int | None = option(
        None, help="episodes to save, corrections or attempts; default: the dataset's", low=1, primary=True
    )
    record_autonomous: bool = option(False, help="record whole attempts, not only the corrections")
    smooth_handover: bool = option(
        True, help="the arm (or an actuated leader) comes over in small steps; off: the safety filter alone does it"
    )
    clutch: bool = option(
        False, help="the arm moves by how far the leader is moved, from wherever the leader stands at takeover"
    )
    target_video_file_size_mb: float = option(
        200.0, help="size of one camera's video at which a long attempt is cut", unit="MB", low=1.0
    )
    upload_every_n_episodes: int = option(
        0, help="publish in the background after every so many episodes; 0: never", low=0
    )
