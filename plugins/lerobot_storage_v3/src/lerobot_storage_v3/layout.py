"""Where a LeRobotDataset v3.0 keeps things, and its JSON files: `info.json`, `stats.json` and our own sidecar `lr.json`."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from lerobot_core.errors import StorageError
from lerobot_core.features import Entry, is_image
from packaging.version import InvalidVersion, Version

VERSION = "v3.0"
INFO = "meta/info.json"
STATS = "meta/stats.json"
TASKS = "meta/tasks.parquet"
SIDECAR = "meta/lr.json"
EPISODES = "meta/episodes"
_FILE = "chunk-{chunk_index:03d}/file-{file_index:03d}"
EPISODES_PATH = f"{EPISODES}/{_FILE}.parquet"
DATA_PATH = f"data/{_FILE}.parquet"
VIDEO_PATH = f"videos/{{video_key}}/{_FILE}.mp4"
MIB = 1024 * 1024

_REPO_ID = re.compile(r"[A-Za-z0-9][\w.-]{0,94}/[A-Za-z0-9_][\w.-]{0,94}")
# Counters of version 2 that a conversion leaves behind: stale from the first episode added on.
_LEFT_BEHIND = frozenset({"total_chunks", "total_videos"})


@dataclass(kw_only=True)
class Info:
    """`meta/info.json`, its fields in the order the file has them.

    Attributes:
        unknown: top-level keys we do not know; kept at the end, so that a rewrite loses nothing of anybody's.
    """

    codebase_version: str = VERSION
    fps: int
    features: dict[str, Entry]
    total_episodes: int = 0
    total_frames: int = 0
    total_tasks: int = 0
    chunks_size: int = 1000
    data_files_size_in_mb: int = 100
    video_files_size_in_mb: int = 200
    data_path: str = DATA_PATH
    video_path: str | None = VIDEO_PATH
    robot_type: str | None = None
    splits: dict[str, str] = field(default_factory=dict)
    tools: list[Any] | None = None
    unknown: dict[str, Any] = field(default_factory=dict)

    @property
    def video_keys(self) -> list[str]:
        """Features stored as video, in order."""
        return [key for key, entry in self.features.items() if entry.get("dtype") == "video"]

    @property
    def image_keys(self) -> list[str]:
        """Features that are pictures, in a video or in the rows, in order."""
        return [key for key, entry in self.features.items() if is_image(entry)]

    @property
    def columns(self) -> dict[str, Entry]:
        """Features that have a column in the data files."""
        return {key: entry for key, entry in self.features.items() if entry.get("dtype") != "video"}

    def data_file(self, chunk: int, file: int) -> str:
        """A data file's path below the root."""
        return self.data_path.format(chunk_index=chunk, file_index=file)

    def video_file(self, key: str, chunk: int, file: int) -> str:
        """A video file's path below the root."""
        return (self.video_path or VIDEO_PATH).format(video_key=key, chunk_index=chunk, file_index=file)

    def to_json(self) -> dict[str, Any]:
        """The file's content, in the file's order; `tools` only when there are any."""
        known = {name: getattr(self, name) for name in _FIELDS}
        if self.tools is None:
            del known["tools"]
        return known | self.unknown


_FIELDS = tuple(name for name in Info.__dataclass_fields__ if name != "unknown")


def episodes_file(chunk: int, file: int) -> str:
    """An episodes file's path below the root; no template in `info.json` changes it."""
    return EPISODES_PATH.format(chunk_index=chunk, file_index=file)


def next_file(chunk: int, file: int, chunks_size: int) -> tuple[int, int]:
    """The (chunk, file) after this one."""
    return (chunk + 1, 0) if file == chunks_size - 1 else (chunk, file + 1)


def json_bytes(value: Any) -> bytes:
    """As the format's JSON files are written: indented by 4, UTF-8, non-ASCII kept."""
    return json.dumps(value, indent=4, ensure_ascii=False).encode()


def read_json(path: Path) -> Any:
    """A JSON file's content.

    Raises:
        StorageError: it cannot be read or is not JSON; `lr dataset repair` rebuilds it.
    """
    try:
        return json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        root = path.parent.parent
        raise StorageError(f"{path} cannot be read", str(error), f"lr dataset repair {root}") from error


def write_json(path: Path, value: Any) -> None:
    """Write beside, flush to the disk, rename: a reader finds the old file or the new one, never half of one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    with beside.open("wb") as file:
        file.write(json_bytes(value))
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)


def parse_info(raw: Mapping[str, Any], where: str) -> Info:
    """`info.json`'s content as `Info`.

    Raises:
        StorageError: another major version, a missing key, or a path that leaves the dataset.
    """
    check_version(str(raw.get("codebase_version", "v1.0")), where)
    missing = [key for key in ("fps", "features") if key not in raw]
    if missing:
        raise StorageError(f"{where}: info.json has no {missing[0]!r}", "", f"lr dataset repair {where}")
    known = {key: value for key, value in raw.items() if key in _FIELDS}
    unknown = {key: value for key, value in raw.items() if key not in _FIELDS and key not in _LEFT_BEHIND}
    info = Info(**known, unknown=unknown)
    info.fps = _whole(info.fps, where)
    _check_paths(info, where)
    return info


def _whole(fps: Any, where: str) -> int:
    if not isinstance(fps, int | float) or fps <= 0 or fps != int(fps):
        raise StorageError(
            f"{where}: fps is {fps!r}", "the format allows whole numbers above 0", "correct it in meta/info.json"
        )
    return int(fps)


def _check_paths(info: Info, where: str) -> None:
    # Datasets come from strangers: a template or a feature name may not lead out of the folder.
    slashed = [key for key in info.features if "/" in key]
    try:
        paths = [info.data_file(0, 0), *(info.video_file(key, 0, 0) for key in info.video_keys)]
    except (KeyError, IndexError, ValueError, AttributeError) as error:
        raise StorageError(f"{where}: data_path or video_path is not a path template", repr(error)) from error
    for name in slashed:
        raise StorageError(f"{where}: {name!r} leads out of the dataset", "info.json is not to be trusted")
    for path in paths:
        check_inside(path, where)


def check_inside(path: str, where: str) -> None:
    """Refuse a path that is not below the dataset.

    Raises:
        StorageError: it is absolute, or goes up.
    """
    if PurePosixPath(path).is_absolute() or ".." in PurePosixPath(path).parts:
        raise StorageError(f"{where}: {path!r} leads out of the dataset", "info.json is not to be trusted")


def check_version(version: str, where: str) -> None:
    """Refuse another major version than 3.

    Raises:
        StorageError: naming the version and the command that converts it, where there is one.
    """
    try:
        major = Version(version).major
    except InvalidVersion as error:
        raise StorageError(
            f"{where}: codebase_version {version!r} is not a version", "", "correct it in meta/info.json"
        ) from error
    if major == 3:
        return
    fix = f"lr dataset convert {where}" if major == 2 else "pip install --upgrade lerobot-storage-v3"
    if major < 2:
        fix = "convert it to v2.1 with the release that wrote it, then: lr dataset convert " + where
    raise StorageError(f"{where} is a LeRobotDataset {version}", f"this reads and writes {VERSION}", fix)


def read_info(root: Path) -> Info:
    """The dataset's `info.json`.

    Raises:
        StorageError: there is no dataset at `root`, or not one we can read.
    """
    path = root / INFO
    if not path.is_file():
        _no_dataset(root)
    raw = read_json(path)
    if not isinstance(raw, dict):
        raise StorageError(f"{path} holds no object", "", f"lr dataset repair {root}")
    return parse_info(raw, str(root))


def _no_dataset(root: Path) -> None:
    if not root.exists():
        raise StorageError(
            f"no dataset at {root}", "the folder does not exist", "check the path, or: lr dataset pull ORG/NAME"
        )
    if any((root / "data").glob("*/*.parquet")) or (root / "meta").is_dir():
        raise StorageError(f"{root} has no {INFO}", "the dataset is incomplete", f"lr dataset repair {root}")
    raise StorageError(
        f"{root} is not a dataset", f"it has no {INFO}", "give the folder that holds meta/, data/ and videos/"
    )


def write_info(root: Path, info: Info) -> None:
    """Replace `info.json`."""
    write_json(root / INFO, info.to_json())


def read_sidecar(root: Path) -> dict[str, Any]:
    """Our own `meta/lr.json`; empty for a dataset somebody else wrote."""
    path = root / SIDECAR
    found = read_json(path) if path.is_file() else {}
    return found if isinstance(found, dict) else {}


def write_sidecar(root: Path, sidecar: Mapping[str, Any]) -> None:
    """Replace `meta/lr.json`."""
    write_json(root / SIDECAR, {"schema": 1, **sidecar})


def is_repo_id(text: str) -> bool:
    """True for `org/name` as the Hub spells it."""
    return _REPO_ID.fullmatch(text) is not None and ".." not in text and "--" not in text


def default_root(repo_id: str, environ: Mapping[str, str]) -> Path:
    """`$HF_LEROBOT_HOME/{repo_id}`; that home defaults to `$HF_HOME/lerobot`."""
    hub = environ.get("HF_HOME") or os.path.join(environ.get("XDG_CACHE_HOME") or "~/.cache", "huggingface")
    home = environ.get("HF_LEROBOT_HOME") or os.path.join(hub, "lerobot")
    return Path(home).expanduser() / repo_id
