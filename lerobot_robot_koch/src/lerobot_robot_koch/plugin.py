"""What this distribution offers."""

from __future__ import annotations

from typing import Any

from lerobot_core.hookspecs import hookimpl
from lerobot_core.specs import Parts, RobotSpec, TeleoperatorSpec

from .config import KochFollowerConfig, KochLeaderConfig

_PORT = ("a serial port", "a Dynamixel adapter (U2D2, OpenRB-150, Waveshare)")


@hookimpl
def lerobot_robots() -> RobotSpec:
    """The follower."""
    return RobotSpec(
        name="koch_follower",
        aliases=("koch",),
        summary="Koch v1.1 follower arm, six Dynamixel servos",
        config=KochFollowerConfig,
        build=_follower,
        requires=_PORT,
        peer_name="koch_follower",
    )


@hookimpl
def lerobot_teleoperators() -> TeleoperatorSpec:
    """The leader."""
    return TeleoperatorSpec(
        name="koch_leader",
        summary="Koch v1.1 leader arm, six Dynamixel servos, gripper on a spring",
        config=KochLeaderConfig,
        build=_leader,
        requires=_PORT,
        peer_name="koch_leader",
    )


def _follower(config: KochFollowerConfig, parts: Parts) -> Any:
    from lerobot_core.arm.follower import FollowerArm

    from .profile import follower

    return FollowerArm(follower(config), config, parts)


def _leader(config: KochLeaderConfig, parts: Parts) -> Any:
    from .leader import KochLeader
    from .profile import leader

    return KochLeader(leader(config), config, parts)
