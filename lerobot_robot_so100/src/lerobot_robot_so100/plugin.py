"""What this distribution offers. SO-100 and SO-101 differ in their printed parts only, so one declaration serves both."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from lerobot_core.hookspecs import hookimpl
from lerobot_core.specs import Parts, RobotSpec, TeleoperatorSpec

from .config import BiSO100FollowerConfig, BiSO100LeaderConfig, PairConfig, SO100FollowerConfig, SO100LeaderConfig

_PORT = ("a serial port", "a Feetech motor controller")


@hookimpl
def lerobot_robots() -> list[RobotSpec]:
    """The followers."""
    return [
        RobotSpec(
            name=f"{arm}_follower",
            aliases=(arm,),
            summary=f"{arm.upper().replace('SO', 'SO-')} follower arm, six Feetech servos",
            config=SO100FollowerConfig,
            build=_follower,
            requires=_PORT,
            peer_name="so_follower",
        )
        for arm in ("so100", "so101")
    ] + [
        RobotSpec(
            name="bi_so100_follower",
            aliases=("bi_so_follower",),
            summary="two SO-100 or SO-101 follower arms as one robot",
            config=BiSO100FollowerConfig,
            build=_followers,
            requires=_PORT,
            peer_name="bi_so_follower",
        )
    ]


@hookimpl
def lerobot_teleoperators() -> list[TeleoperatorSpec]:
    """The leaders."""
    return [
        TeleoperatorSpec(
            name=f"{arm}_leader",
            summary=f"{arm.upper().replace('SO', 'SO-')} leader arm, six Feetech servos",
            config=SO100LeaderConfig,
            build=_leader,
            requires=_PORT,
            peer_name="so_leader",
        )
        for arm in ("so100", "so101")
    ] + [
        TeleoperatorSpec(
            name="bi_so100_leader",
            aliases=("bi_so_leader",),
            summary="two SO-100 or SO-101 leader arms as one",
            config=BiSO100LeaderConfig,
            build=_leaders,
            requires=_PORT,
            peer_name="bi_so_leader",
        )
    ]


def _follower(config: SO100FollowerConfig, parts: Parts) -> Any:
    from lerobot_core.arm.follower import FollowerArm

    from .profile import follower

    return FollowerArm(follower(config), config, parts)


def _leader(config: SO100LeaderConfig, parts: Parts) -> Any:
    from lerobot_core.arm.leader import LeaderArm

    from .profile import leader

    return LeaderArm(leader(config), config, parts)


def _followers(config: BiSO100FollowerConfig, parts: Parts) -> Any:
    from .pair import FollowerPair

    return FollowerPair(_arms("robot", "so_follower", config, SO100FollowerConfig, _follower, parts), config.park_pose)


def _leaders(config: BiSO100LeaderConfig, parts: Parts) -> Any:
    from .pair import LeaderPair

    return LeaderPair(_arms("teleoperator", "so_leader", config, SO100LeaderConfig, _leader, parts))


def _arms(
    kind: str, peer_name: str, pair: PairConfig, cls: type[Any], build: Callable[[Any, Parts], Any], parts: Parts
) -> dict[str, Any]:
    """Each arm as it would be alone, called `ID_left` or `ID_right`."""
    from lerobot_core.calibration import load_for

    arms = {}
    for side in ("left", "right"):
        own = getattr(pair, f"{side}_arm_config")
        options = {field.name: getattr(own, field.name) for field in dataclasses.fields(own)}
        config = cls(id=f"{pair.id}_{side}", calibration_dir=pair.calibration_dir, **options)
        calibration = load_for(kind, peer_name, config)
        arms[side] = build(config, dataclasses.replace(parts, calibration=calibration))
    return arms
