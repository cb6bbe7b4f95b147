"""What a LeRobot user has on this disk: calibrations, datasets and checkpoints, found by their shape and only read."""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from . import calibration
from .errors import CalibrationError

DEPTH = 8
"""Folders below the one that was named: a hub cache has five above a snapshot's files, a training run three."""
_SKIPPED = frozenset(
    {".cache", "blobs", "refs", "calibration", "backups", "videos", "images", "wandb", "training_state"}
)
_WEIGHTS = {"model.safetensors", "adapter_model.safetensors"}
_HUB_NAMES = ("datasets--", "models--")
KINDS = {"robots": "robot", "teleoperators": "teleoperator"}


@dataclass(frozen=True)
class FoundCalibration:
    """One calibrated device.

    Attributes:
        kind: `robot` or `teleoperator`.
        peer_name: the folder it is in: a family's name, in older files the device type.
        id: as `--robot.id`; None for the peer's nameless device.
        path: the file.
        hash: of what it holds, as a rig file asks for it.
        saved: when, seconds since 1970.
    """

    kind: str
    peer_name: str
    id: str | None
    path: Path
    hash: str
    saved: float


@dataclass(frozen=True)
class FoundDataset:
    """One dataset; what its `info.json` does not say is None.

    Attributes:
        root: its folder.
        repo_id: as its place on the disk says, "" where it does not.
        version: `v3.0`, `v2.1`, …
    """

    root: Path
    repo_id: str
    version: str
    episodes: int | None
    frames: int | None
    fps: float | None
    robot_type: str | None


@dataclass(frozen=True)
class FoundCheckpoint:
    """One policy: its folder, and the type in its `config.json`."""

    path: Path
    type: str


@dataclass(frozen=True)
class Findings:
    """Everything, with a text for each file that is there and cannot be read."""

    calibrations: tuple[FoundCalibration, ...]
    datasets: tuple[FoundDataset, ...]
    checkpoints: tuple[FoundCheckpoint, ...]
    problems: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.calibrations or self.datasets or self.checkpoints or self.problems)

    def as_json(self) -> dict[str, list[dict[str, Any]]]:
        """Plain data, a list for each kind of thing."""
        return {
            name: [{key: _plain(value) for key, value in asdict(each).items()} for each in getattr(self, name)]
            for name in ("calibrations", "datasets", "checkpoints")
        }


def search(home: Path, calibrations: Path, more: Collection[Path] = ()) -> Findings:
    """Look through the peer's folders.

    Args:
        home: its home folder.
        calibrations: the folder with `robots` and `teleoperators`.
        more: further folders that may hold datasets and checkpoints.
    """
    problems: list[str] = []
    calibrated = list(_calibrations(calibrations, problems))
    datasets: dict[str, FoundDataset] = {}
    checkpoints: dict[str, FoundCheckpoint] = {}
    for top in (home, *more):
        for folder in _folders(top, DEPTH):
            real = os.path.realpath(folder)
            if dataset := _dataset(folder, top, problems):
                datasets.setdefault(real, dataset)
            elif checkpoint := _checkpoint(folder):
                checkpoints.setdefault(real, checkpoint)
    return Findings(tuple(calibrated), tuple(datasets.values()), tuple(checkpoints.values()), tuple(problems))


def _plain(value: object) -> object:
    return str(value) if isinstance(value, Path) else value


# --- calibrations ---------------------------------------------------------------------------------------------------


def _calibrations(root: Path, problems: list[str]) -> Iterator[FoundCalibration]:
    for plural, kind in KINDS.items():
        for path in sorted((root / plural).glob("*/*.json")):
            if path.name.endswith(".meta.json"):
                continue
            try:
                held = calibration.load(path)
            except CalibrationError as error:
                problems.append(f"{error.what}: {error.why}")
                continue
            if held:
                id = None if path.stem == "None" else path.stem
                digest, saved = calibration.fingerprint(held), path.stat().st_mtime
                yield FoundCalibration(kind, path.parent.name, id, path, digest, saved)


# --- datasets and checkpoints ---------------------------------------------------------------------------------------


def _folders(top: Path, depth: int) -> Iterator[Path]:
    """`top` and what is below, but nothing inside a dataset or a checkpoint, and of a training run only its newest one."""
    try:
        with os.scandir(top) as items:
            entries = list(items)
    except OSError:
        return  # not there, or not ours to read
    yield top
    names = {entry.name for entry in entries}
    if depth == 0 or {"meta", "data"} <= names or names & _WEIGHTS:
        return
    inner = sorted(
        entry.name for entry in entries if entry.is_dir(follow_symlinks=False) and entry.name not in _SKIPPED
    )
    steps = [name for name in inner if name.isdigit()]
    for name in [max(steps, key=int)] if top.name == "checkpoints" and steps else inner:
        yield from _folders(top / name, depth - 1)


def _dataset(folder: Path, top: Path, problems: list[str]) -> FoundDataset | None:
    path = folder / "meta" / "info.json"
    if not path.is_file():
        return None
    info = _json(path)
    if info is None:
        problems.append(f"{path} cannot be read as JSON")
        return None
    version = info.get("codebase_version")
    return FoundDataset(
        folder,
        _repo_id(folder, top),
        version if isinstance(version, str) else "unknown version",
        _typed(info.get("total_episodes"), int),
        _typed(info.get("total_frames"), int),
        _typed(info.get("fps"), int, float),
        _typed(info.get("robot_type"), str),
    )


def _checkpoint(folder: Path) -> FoundCheckpoint | None:
    if not any((folder / name).is_file() for name in _WEIGHTS):
        return None
    family = (_json(folder / "config.json") or {}).get("type")
    return FoundCheckpoint(folder, family) if isinstance(family, str) and family else None


def _repo_id(folder: Path, top: Path) -> str:
    """`org/name` out of a hub cache's `datasets--org--name`, or of the two folders below the home."""
    parts = folder.relative_to(top).parts
    for part in parts:
        for prefix in _HUB_NAMES:
            if part.startswith(prefix):
                return part.removeprefix(prefix).replace("--", "/", 1)
    return "/".join(parts) if len(parts) == 2 else ""


def _json(path: Path) -> dict[str, Any] | None:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def _typed(value: Any, *types: type) -> Any:
    return value if isinstance(value, types) else None
