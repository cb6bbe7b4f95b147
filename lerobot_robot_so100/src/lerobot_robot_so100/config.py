"""Options of the arms, named as LeRobot names them where it has them."""

from __future__ import annotations

from dataclasses import dataclass

from lerobot_core.arm.profile import FollowerConfig, LeaderConfig, PortOptions
from lerobot_core.config.bases import DeviceConfig, RobotConfig
from lerobot_core.config.fields import option
from lerobot_core.errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class FollowerSettings:
    """How a follower works, alone or as one of a pair."""

    use_degrees: bool = option(True, help="body joints in degrees; else -100..100 of their range")
    position_p_coefficient: int = option(16, help="stiffness; the factory's 32 makes the arm shake", low=0, high=254)
    position_i_coefficient: int = option(0, help="integral gain", low=0, high=254)
    position_d_coefficient: int = option(32, help="damping", low=0, high=254)
    max_relative_target: float | dict[str, float] | None = option(
        None, help="not used: speed is limited by --robot.limits, {key: {max_rate}}"
    )
    disable_torque_on_disconnect: bool = option(True, help="false is not used: --on-exit hold keeps the torque on")

    def __post_init__(self) -> None:
        """Two options of LeRobot mean something else here; they are refused with what to type instead."""
        if self.max_relative_target is not None:
            raise ConfigError(
                "max_relative_target is not used",
                "it is a step per command, so its speed depends on --fps; here every joint has a speed limit already",
                "--robot.limits '{shoulder_pan.pos: {max_rate: 60}}' narrows it (deg/s)",
            )
        if not self.disable_torque_on_disconnect:
            raise ConfigError("disable_torque_on_disconnect=false is not used", "", "--on-exit hold")


@dataclass(frozen=True, kw_only=True)
class SO100FollowerConfig(FollowerSettings, FollowerConfig):
    """A follower arm."""


@dataclass(frozen=True, kw_only=True)
class SO100LeaderConfig(LeaderConfig):
    """A leader arm."""

    use_degrees: bool = option(True, help="body joints in degrees; else -100..100 of their range")


@dataclass(frozen=True, kw_only=True)
class FollowerOfPair(FollowerSettings, PortOptions):
    """One follower of two."""


@dataclass(frozen=True, kw_only=True)
class LeaderOfPair(PortOptions):
    """One leader of two."""

    use_degrees: bool = option(True, help="body joints in degrees; else -100..100 of their range")


@dataclass(frozen=True, kw_only=True)
class PairConfig(DeviceConfig):
    """Two arms; the calibrations are those of the single arms `ID_left` and `ID_right`."""

    def __post_init__(self) -> None:
        """Two arms without a name would share one calibration file, and one hash cannot be that of two files."""
        section = "robot" if isinstance(self, RobotConfig) else "teleop"
        if not self.id:
            raise ConfigError(
                "a pair of arms needs an id", "its calibrations are ID_left and ID_right", f"--{section}.id ID"
            )
        if self.calibration_hash:
            raise ConfigError("calibration_hash is not possible for a pair", "it has two calibrations", "leave it out")


@dataclass(frozen=True, kw_only=True)
class BiSO100FollowerConfig(PairConfig, RobotConfig):
    """Two follower arms."""

    left_arm_config: FollowerOfPair = option(help="the left arm", aliases=("left_arm",))
    right_arm_config: FollowerOfPair = option(help="the right arm", aliases=("right_arm",))


@dataclass(frozen=True, kw_only=True)
class BiSO100LeaderConfig(PairConfig):
    """Two leader arms."""

    left_arm_config: LeaderOfPair = option(help="the left arm", aliases=("left_arm",))
    right_arm_config: LeaderOfPair = option(help="the right arm", aliases=("right_arm",))
