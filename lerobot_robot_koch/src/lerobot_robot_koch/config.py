"""Options of the arms, named as LeRobot names them where it has them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from lerobot_core.arm.profile import FollowerConfig, LeaderConfig
from lerobot_core.config.fields import option
from lerobot_core.errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class KochFollowerConfig(FollowerConfig):
    """A follower arm."""

    use_degrees: bool = option(False, help="body joints in degrees; else -100..100 of their range")
    max_relative_target: Any = option(None, help="not used: speed is limited by --robot.limits, {key: {max_rate}}")
    disable_torque_on_disconnect: bool = option(True, help="false is not used: --on-exit hold keeps the torque on")

    def __post_init__(self) -> None:
        """Two options of LeRobot mean something else here; they are refused with what to type instead."""
        if self.max_relative_target is not None:
            raise ConfigError(
                "max_relative_target is not used",
                "it is a step per command, so its speed depends on --fps; here every joint has a speed limit already",
                "--robot.limits '{shoulder_pan.pos: {max_rate: 60}}' narrows it (pct100/s)",
            )
        if not self.disable_torque_on_disconnect:
            raise ConfigError("disable_torque_on_disconnect=false is not used", "", "--on-exit hold")


@dataclass(frozen=True, kw_only=True)
class KochLeaderConfig(LeaderConfig):
    """A leader arm."""

    use_degrees: bool = option(False, help="body joints in degrees; else -100..100 of their range")
    gripper_open_pos: float = option(
        50.0, help="where the gripper's spring holds it until a hand closes it", unit="pct", low=0.0, high=100.0
    )
