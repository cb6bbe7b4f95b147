"""Options of the template robot."""

from __future__ import annotations

from dataclasses import dataclass

from lerobot_core.config.bases import RobotConfig
from lerobot_core.config.fields import option


@dataclass(frozen=True, kw_only=True)
class TemplateRobotConfig(RobotConfig):
    """`id`, `calibration_dir`, `calibration_hash`, `park_pose` and `limits` are inherited."""

    port: str = option("emulated", help="where the arm is connected")
