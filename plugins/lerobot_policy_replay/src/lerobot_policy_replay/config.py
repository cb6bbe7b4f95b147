"""Options of `--policy replay`."""

from __future__ import annotations

from dataclasses import dataclass

from lerobot_core.config.bases import PolicyConfig
from lerobot_core.config.fields import option


@dataclass(frozen=True, kw_only=True)
class ReplayConfig(PolicyConfig):
    """What is played, and how slowly it answers."""

    dataset: str = option(help="folder or org/name of the dataset to play")
    storage: str = option("lerobot", help="the storage plugin that reads it")
    chunk_size: int = option(50, help="actions in a chunk", low=1)
    latency_s: float = option(0.0, help="how long each answer takes", unit="s", low=0.0)
    approach_rate: float = option(45.0, help="speed of the way to an episode's first pose, in units a second", low=0.1)
