"""Opening a dataset for writing: where, whether it fits, and nobody else's meanwhile."""

from __future__ import annotations

import contextlib
import logging
import os
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lerobot_core.errors import StorageError
from lerobot_core.features import camera_names, image_key
from lerobot_core.types import Features

from . import layout
from .codecs import Codec, choose, video_info
from .config import LerobotStorageConfig
from .durability import PRIVATE, WriterLock, storage_error
from .layout import Info
from .ledger import Ledger
from .repair import repair_locked
from .save import warm_up
from .schema import differences, extra_entries, features_for, sidecar_features


@dataclass(frozen=True)
class Opened:
    """A dataset that is ours to write.

    Attributes:
        shapes: (H, W, C) by video key, in the robot's camera order.
    """

    root: Path
    ledger: Ledger
    codec: Codec
    shapes: Mapping[str, tuple[int, ...]]
    lock: WriterLock
    created: bool


@dataclass(frozen=True)
class Wanted:
    """What is to be recorded."""

    observation: Features
    action: Features
    fps: int
    robot_type: str


def root_of(config: LerobotStorageConfig, environ: Mapping[str, str] = os.environ) -> Path:
    """The dataset's folder.

    Raises:
        StorageError: neither root nor repo_id is given.
    """
    if config.root is not None:
        return config.root.expanduser()
    if not config.repo_id:
        raise StorageError("no place for the dataset", "neither root nor repo_id is given", "--dataset.root FOLDER")
    return layout.default_root(config.repo_id, environ)


def whole_fps(fps: float) -> int:
    """The format has whole frames a second only.

    Raises:
        StorageError: naming the nearest rate.
    """
    if fps < 1 or fps != int(fps):
        raise StorageError(f"fps is {fps:g}", "the format allows whole numbers", f"--fps {max(1, round(fps))}")
    return int(fps)


def open_dataset(config: LerobotStorageConfig, wanted: Wanted, resume: bool, log: logging.Logger) -> Opened:
    """Create the dataset, or repair and continue it; holds its lock.

    Raises:
        StorageError: it exists, is locked, has other features, cannot be written, or no encoder opens.
    """
    root = root_of(config)
    refuse_used(root, resume)
    codec = choose(config.codec, camera_sizes(wanted.observation), wanted.fps, config.crf, config.gop)
    lock = _lock(root)
    exists = _used(root)
    try:
        ledger = _continued(root, config, wanted, codec, log) if exists else _created(root, config, wanted, codec)
        _note_run(root, wanted, codec, ledger.info.total_episodes)
        warm_up(ledger)
    except BaseException as error:
        if not exists:
            forget_created(root, lock)
        lock.release()
        raise (storage_error(error, root) if isinstance(error, OSError) else error) from error
    shapes = {image_key(name): wanted.observation[name].shape for name in camera_names(wanted.observation)}
    return Opened(root, ledger, codec, shapes, lock, created=not exists)


def refuse_used(root: Path, resume: bool) -> None:
    """Nothing that exists is written to unless it is said.

    Raises:
        StorageError: `root` has content and this is no `--resume`.
    """
    if root.exists() and not root.is_dir():
        raise StorageError(f"{root} is no folder", "a dataset is a folder of its own", "another --dataset.root")
    try:
        used = _used(root)
    except OSError as error:
        raise storage_error(error, root) from error
    if used and not resume:
        raise StorageError(f"{root} exists and is not empty", "", "--resume to continue it, or another --dataset.root")


def camera_sizes(observation: Features) -> tuple[tuple[int, int], ...]:
    """(height, width) of every camera."""
    shapes = [observation[name].shape for name in camera_names(observation)]
    return tuple((shape[0], shape[1]) for shape in shapes)


def _used(root: Path) -> bool:
    # Our own folder is no content: a writer that was killed while it created the dataset leaves only that.
    return root.exists() and any(path.name != PRIVATE for path in root.iterdir())


def _lock(root: Path) -> WriterLock:
    try:
        return WriterLock(root)
    except OSError as error:
        raise storage_error(error, root) from error


def _created(root: Path, config: LerobotStorageConfig, wanted: Wanted, codec: Codec) -> Ledger:
    video = codec.is_video
    features = features_for(wanted.observation, wanted.action, video, extras=config.extras == "all")
    info = Info(
        fps=wanted.fps,
        features=features,
        robot_type=wanted.robot_type,
        video_path=layout.VIDEO_PATH if video else None,
        data_files_size_in_mb=config.data_file_mb,
        video_files_size_in_mb=config.video_file_mb,
    )
    for key in info.video_keys:
        height, width, _ = features[key]["shape"]
        features[key]["info"] = video_info(codec, height, width, wanted.fps)
    layout.write_info(root, info)
    return Ledger.new(info, outcome=config.extras == "all")


def _continued(root: Path, config: LerobotStorageConfig, wanted: Wanted, codec: Codec, log: logging.Logger) -> Ledger:
    for problem in repair_locked(root):
        log.warning("repaired: %s", problem.text)
    ledger = Ledger.load(root)
    info = ledger.info
    if (info.fps, info.robot_type) != (wanted.fps, wanted.robot_type):
        has, wants = f"{info.robot_type} at {info.fps} fps", f"{wanted.robot_type} at {wanted.fps} fps"
        raise StorageError(f"{root} was recorded with {has}", f"this run has {wants}", "use another --dataset.root")
    found = _feature_differences(info, config, wanted, codec) + _unit_differences(layout.read_sidecar(root), wanted)
    if found:
        raise StorageError(f"{root} has other features", "\n  ".join(found), _fix(found, config))
    return ledger


def _feature_differences(info: Info, config: LerobotStorageConfig, wanted: Wanted, codec: Codec) -> list[str]:
    ours = features_for(wanted.observation, wanted.action, codec.is_video, extras=config.extras == "all")
    if config.extras == "none":
        # Extra columns the dataset has already are filled all the same: rows of one dataset have the same columns.
        extras = extra_entries(wanted.observation, wanted.action)
        ours |= {key: entry for key, entry in extras.items() if key in info.features}
    return differences(ours, info.features)


def _fix(found: list[str], config: LerobotStorageConfig) -> str:
    if any("dtype is video here, image" in line for line in found):
        return "--dataset.codec png"
    if config.extras == "all" and all(line.endswith("not in the dataset") for line in found):
        return "--dataset.extras none if only the extra columns differ, else another --dataset.root"
    return "use another --dataset.root"


def _unit_differences(sidecar: Mapping[str, Any], wanted: Wanted) -> list[str]:
    lines = []
    for side, features in (("observation", wanted.observation), ("action", wanted.action)):
        for key, feature in features.items():
            unit = sidecar.get(side, {}).get(key, {}).get("unit")
            if None not in (unit, feature.unit) and unit != feature.unit:
                lines.append(f"{side} {key}: in {feature.unit!r} here, in {unit!r} in the dataset")
    return lines


def _note_run(root: Path, wanted: Wanted, codec: Codec, first: int) -> None:
    """The sidecar holds what the format has no key for: units and limits, and how each run encoded."""
    sidecar = layout.read_sidecar(root)
    run = {
        "id": uuid.uuid4().hex[:12],
        "started": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "first_episode": first,
        "encoder": codec.encoder,
        "crf": codec.crf,
        "gop": codec.gop,
    }
    known = sidecar_features(wanted.observation, wanted.action) | sidecar
    layout.write_sidecar(root, known | {"runs": [*sidecar.get("runs", []), run]})


def forget_created(root: Path, lock: WriterLock) -> None:
    """Take back a dataset that was created and got no episode, so that the next run finds no leftover."""
    for path in (root / layout.INFO, root / layout.SIDECAR):
        path.unlink(missing_ok=True)
    _remove_empty(root / "meta")
    lock.release()
    _remove_empty(root)


def _remove_empty(folder: Path) -> None:
    with contextlib.suppress(OSError):  # not empty: somebody else's
        folder.rmdir()
