"""The kernel's input devices, found without opening any: names come from sysfs, which everybody may read."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from lerobot_core.errors import DeviceError, did_you_mean

FOLDER = Path("/dev/input")
SYSFS = Path("/sys/class/input")
PERMISSION = "sudo usermod -aG input $USER, then log in again"


@dataclass(frozen=True)
class Input:
    """One input device.

    Attributes:
        path: `/dev/input/event3`; changes when devices are plugged in another order.
        name: as the device calls itself.
        links: names below `/dev/input/by-id`, which stay.
        has_keys: it can report keys.
        readable: this user may open it.
    """

    path: str
    name: str
    links: tuple[str, ...]
    has_keys: bool
    readable: bool

    @property
    def best(self) -> str:
        """What to write into a rig file."""
        return self.links[0] if self.links else self.path

    def __str__(self) -> str:
        return f"{self.best} ({self.name}{'' if self.readable else ', not readable'})"


def inputs(folder: Path = FOLDER, sysfs: Path = SYSFS) -> list[Input]:
    """Every input device, in the kernel's order."""
    links = _links(folder / "by-id")
    paths = sorted(folder.glob("event*"), key=lambda path: (len(path.name), path.name))
    return [
        Input(
            str(path),
            _read(sysfs / path.name / "device" / "name") or path.name,
            tuple(links.get(path.name, ())),
            _has_keys(sysfs / path.name / "device" / "capabilities" / "key"),
            os.access(path, os.R_OK),
        )
        for path in paths
    ]


def find(device: str, known: Iterable[Input]) -> Input:
    """The one that `device` means: a path, `event3`, a link's name, or a part of its name that no other has.

    Raises:
        DeviceError: none, or several; the message lists what is there.
    """
    known = list(known)
    wanted = os.path.basename(os.path.realpath(device))  # also a link of the person's own udev rules
    for each in known:
        if device == each.path or wanted in (each.path.rpartition("/")[2], *map(_last, each.links)):
            return each
    like = [each for each in known if device and "/" not in device and device.lower() in each.name.lower()]
    if len(like) == 1:
        return like[0]
    text = "; ".join(map(str, like or [each for each in known if each.has_keys])) or "none with keys"
    hint = did_you_mean(device, [each.best for each in known])
    many = f"{len(like)} input devices are called {device!r}" if like else f"there is no input device {device!r}"
    raise DeviceError(
        many, f"input devices: {text}", hint or "--operator.pedal.device with one of these (lr find operator)"
    )


def problem_with(device: str, folder: Path = FOLDER, sysfs: Path = SYSFS) -> tuple[str, str] | None:
    """Why `device` cannot be used, and the fix; None when it can."""
    if not sys.platform.startswith("linux"):
        return "pedals are read through Linux's input devices", "--operator terminal"
    try:
        found = find(device, inputs(folder, sysfs))
    except DeviceError as error:
        return f"{error.what}: {error.why}" if error.why else error.what, error.fix
    return None if found.readable else (f"{found.best} may not be read by this user", PERMISSION)


def _links(folder: Path) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for link in sorted(folder.glob("*")):
        found.setdefault(os.path.basename(os.path.realpath(link)), []).append(str(link))
    return found


def _has_keys(path: Path) -> bool:
    """The bit field of keys is not empty; a device whose field cannot be read may have some."""
    text = _read(path)
    return text is None or any(word.strip("0") for word in text.split())


def _last(path: str) -> str:
    return path.rpartition("/")[2]


def _read(path: Path) -> str | None:
    try:
        return path.read_text().strip()
    except OSError:
        return None
