"""Options of the acme reward."""

from __future__ import annotations

from dataclasses import dataclass

from lerobot_core.config.fields import option


@dataclass(frozen=True, kw_only=True)
class AcmeRewardConfig:
    """What can be typed as `--reward.OPTION`."""

    key: str = option("gripper.pos", help="the observation that is judged")
    above: float = option(50.0, help="it has succeeded above this value")
