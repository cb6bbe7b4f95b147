"""Calibration files: the peer's folders and format, ours beside them.

`<id>.json` holds five integers a motor exactly as the peer writes them; `<id>.meta.json` holds what we add
(version, hash, date), and `backups/` keeps what a new calibration replaced.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from .errors import CalibrationError
from .types import Calibration, MotorCalibration

_FIELDS = ("id", "drive_mode", "homing_offset", "range_min", "range_max")


def home() -> Path:
    """$HF_LEROBOT_HOME, else the peer's default inside the Hugging Face cache."""
    if found := os.environ.get("HF_LEROBOT_HOME"):
        return Path(found).expanduser()
    return hugging_face() / "lerobot"


def hugging_face() -> Path:
    """$HF_HOME, else the Hugging Face cache."""
    cache = os.environ.get("HF_HOME") or os.path.join(os.environ.get("XDG_CACHE_HOME", "~/.cache"), "huggingface")
    return Path(cache).expanduser()


def calibration_path(kind: str, peer_name: str, device_id: str | None, folder: Path | None = None) -> Path:
    """Where a device's calibration lies.

    Args:
        kind: `robot` or `teleoperator`.
        peer_name: the device family (`so_follower`).
        device_id: `--robot.id`; the peer calls a device without one `None`.
        folder: `calibration_dir`, used as it is when given.

    Raises:
        CalibrationError: the id is no plain word.
    """
    if device_id is not None and ("/" in device_id or device_id in ("", ".", "..")):
        raise CalibrationError(f"{device_id!r} is no id of a {kind}", "it names a file", "a plain word, such as left")
    if folder is None:
        base = os.environ.get("HF_LEROBOT_CALIBRATION")
        root = Path(base).expanduser() if base else home() / "calibration"
        folder = root / f"{kind}s" / peer_name
    return folder / f"{device_id}.json"


def fingerprint(calibration: Calibration) -> str:
    """`sha256:…` of the canonical JSON."""
    plain = {motor: asdict(value) for motor, value in calibration.items()}
    text = json.dumps(plain, sort_keys=True, separators=(",", ":"))
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def load(path: Path) -> Calibration | None:
    """Read a calibration file, None when there is none.

    Raises:
        CalibrationError: it is not JSON, or a motor lacks one of its five integers.
    """
    try:
        data = json.loads(path.read_text())
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as error:
        raise CalibrationError(f"{path} cannot be read", str(error), "calibrate again: lr calibrate") from error
    if not isinstance(data, dict):
        raise CalibrationError(f"{path} holds no motors", "the file is damaged", "calibrate again: lr calibrate")
    return {motor: _motor(path, motor, values) for motor, values in data.items()}


def _motor(path: Path, motor: str, values: Any) -> MotorCalibration:
    missing = [name for name in _FIELDS if not isinstance(values, dict) or not isinstance(values.get(name), int)]
    if missing:
        raise CalibrationError(
            f"{path}: motor '{motor}' has no {', '.join(missing)}",
            "the file is damaged",
            "calibrate again: lr calibrate",
        )
    return MotorCalibration(**{name: values[name] for name in _FIELDS})


def save(path: Path, calibration: Calibration) -> None:
    """Write the peer's file and our meta beside it; a file that was there goes to `backups/` first.

    Raises:
        CalibrationError: the folder cannot be written to.
    """
    try:
        _save(path, calibration)
    except OSError as error:
        raise unwritable(path.parent, error) from error


def require_writable(path: Path) -> None:
    """Find out that a calibration cannot be saved there before somebody has moved every joint.

    Raises:
        CalibrationError: the folder cannot be made, or written to.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path.parent):
            pass
    except OSError as error:
        raise unwritable(path.parent, error) from error


def unwritable(folder: Path, error: OSError) -> CalibrationError:
    """What to say when a calibration cannot be kept in `folder`."""
    why = error.strerror or str(error)
    return CalibrationError(f"a calibration cannot be saved in {folder}", why, "--robot.calibration-dir FOLDER")


def _save(path: Path, calibration: Calibration) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    now = datetime.now(UTC)
    if path.exists():
        backups = path.parent / "backups"
        backups.mkdir(exist_ok=True)
        shutil.copy2(path, backups / f"{path.stem}.{now:%Y%m%dT%H%M%S%f}.json")
    _replace(path, json.dumps({motor: asdict(value) for motor, value in calibration.items()}, indent=4))
    meta = {"version": 1, "hash": fingerprint(calibration), "date": now.isoformat(timespec="seconds")}
    _replace(path.with_suffix(".meta.json"), json.dumps(meta, indent=4))


def _replace(path: Path, text: str) -> None:
    beside = path.with_name(path.name + ".new")
    with beside.open("w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)


def load_for(kind: str, peer_name: str, config: Any) -> Calibration | None:
    """The calibration of a device about to be built, None for kinds and devices without one.

    Raises:
        CalibrationError: it is not the one that `calibration_hash` asks for.
    """
    if kind not in ("robot", "teleoperator") or not peer_name or not hasattr(config, "calibration_dir"):
        return None
    path = calibration_path(kind, peer_name, config.id, config.calibration_dir)
    calibration = load(path)
    wanted = config.calibration_hash
    if wanted and (calibration is None or fingerprint(calibration) != wanted):
        found = "there is none" if calibration is None else f"the file's is {fingerprint(calibration)}"
        raise CalibrationError(
            f"{path} is not the calibration this rig asks for",
            f"wanted {wanted}; {found}",
            "calibrate again, or update calibration_hash",
        )
    return calibration
