"""Which camera is which: Linux's names for video devices; no library needed, nothing is opened."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class VideoDevice:
    """One camera as the system lists it.

    Attributes:
        path: `/dev/video0`.
        by_id: the path that stays the same whatever else is plugged in, "" where the system gives none.
        name: what the camera calls itself.
    """

    path: str
    by_id: str
    name: str

    @property
    def identity(self) -> str:
        """The best name for a rig file."""
        return self.by_id or self.path


def video_devices(dev: Path = Path("/dev"), sys: Path = Path("/sys")) -> list[VideoDevice]:
    """Every camera by number; a camera's further nodes (metadata) are left out."""
    links = dict(_links(dev / "v4l/by-id"))
    found = []
    for entry in sorted((sys / "class/video4linux").glob("video*"), key=lambda path: int(path.name[5:])):
        if _read(entry / "index") in ("", "0"):
            found.append(VideoDevice(str(dev / entry.name), links.get(entry.name, ""), _read(entry / "name")))
    return found


def lasting(index_or_path: int | str, dev: Path = Path("/dev"), sys: Path = Path("/sys")) -> int | str:
    """The by-id path of a camera given by number or device path, so that it is found again; else what was given."""
    path = f"{dev}/video{index_or_path}" if isinstance(index_or_path, int) else index_or_path
    name = Path(os.path.realpath(path)).name
    known = next((device for device in video_devices(dev, sys) if Path(device.path).name == name), None)
    return known.by_id if known is not None and known.by_id else index_or_path


def is_file(index_or_path: int | str) -> bool:
    """A recording, not a device or an address."""
    return isinstance(index_or_path, str) and Path(index_or_path).is_file()


def _links(folder: Path) -> Iterator[tuple[str, str]]:
    if folder.is_dir():
        for link in sorted(folder.iterdir()):
            yield link.resolve().name, str(link)


def _read(path: Path) -> str:
    try:
        return path.read_text(errors="replace").strip()
    except OSError:
        return ""
