"""The options every device, robot, camera, policy and dataset has; plugins subclass these."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .fields import option


@dataclass(frozen=True, kw_only=True)
class DeviceConfig:
    """A calibrated device: a robot or a teleoperator."""

    id: str | None = option(None, help="which one of several; names its calibration file")
    calibration_dir: Path | None = option(None, help="folder of calibration files, instead of the standard one")
    calibration_hash: str | None = option(None, help="refuse any calibration but this one (sha256:…)")


@dataclass(frozen=True, kw_only=True)
class RobotConfig(DeviceConfig):
    """A robot."""

    park_pose: dict[str, float] | None = option(
        None, help="where to leave the arm, {key: value}; default: the pose at engage"
    )
    limits: dict[str, dict[str, float]] | None = option(
        None, help="narrower limits, {key: {low, high, max_rate}}; they cannot widen the robot's own"
    )


@dataclass(frozen=True, kw_only=True)
class CameraConfig:
    """A camera."""

    width: int | None = option(None, help="image width", unit="px", low=1, high=8192)
    height: int | None = option(None, help="image height", unit="px", low=1, high=8192)
    fps: float | None = option(None, help="frames a second asked of the device", unit="Hz", low=0.1)
    optional: bool = option(False, help="losing this camera does not end the run")


@dataclass(frozen=True, kw_only=True)
class PolicyConfig:
    """A policy; `path` is its checkpoint folder where it has one."""

    path: str | None = option(None, help="checkpoint folder or org/name", aliases=("pretrained_path",))
    names_from: str | None = option(None, help="take names, order and units from this dataset")
    assume_order: bool = option(False, help="a checkpoint without names takes the robot's order")
    units: str | None = option(None, help="units of a checkpoint that does not say (deg, pct100, …)")


@dataclass(frozen=True, kw_only=True)
class DatasetConfig:
    """Where episodes go; storages subclass this."""

    root: Path | None = option(None, help="the dataset's folder; default $HF_LEROBOT_HOME/REPO_ID", primary=True)
    repo_id: str | None = option(None, help="org/name; one of root and repo_id is enough")
    num_episodes: int = option(50, help="episodes to record (record, episodic)", low=1)
    episode_time_s: float = option(60.0, help="longest episode", unit="s", low=0.0)
    reset_time_s: float = option(60.0, help="time between episodes to reset the scene", unit="s", low=0.0)
    codec: str = option("auto", help="auto, h264, hevc, av1, an encoder's name, or png")
    extras: str = option("all", help="extra columns (source, capture times, flags)", choices=("all", "none"))


@dataclass(frozen=True)
class Chosen:
    """A plugin that was named, with its decoded options.

    Attributes:
        kind: its kind.
        name: its canonical name.
        spec: what the plugin says about itself.
        config: an instance of `spec.config`.
        instance: the instance name in a plural section (`front`), "" otherwise.
    """

    kind: str
    name: str
    spec: Any
    config: Any
    instance: str = ""
