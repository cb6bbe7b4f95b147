"""A rig file for devices that were found: the newest robot and teleoperator in force, the others beside them as comments."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from .calibration import calibration_path
from .peer_files import FoundCalibration

_SECTIONS = {"robot": "robot", "teleoperator": "teleop"}


@dataclass(frozen=True)
class Device:
    """A calibrated device for which a plugin is installed.

    Attributes:
        type: what is typed for it.
        peer_name: where the plugin looks for its calibration.
        has_port: it hangs on a serial port.
        found: its calibration.
    """

    type: str
    peer_name: str
    has_port: bool
    found: FoundCalibration


def render(devices: Sequence[Device], ports: Sequence[str], source: Path) -> str:
    """The file's text (TOML).

    Args:
        devices: in any order; the newest calibration of a kind is the one in force.
        ports: what this machine has, to choose from.
        source: the peer's folder, for the first line.
    """
    lines = [f"# Devices of {_quoted(str(source))}, found by `lr import-lerobot`."]
    if any(device.has_port for device in devices):
        lines.append(
            "# LeRobot does not write ports down: take the sign # away from the right one. `lr find ports` lists them."
        )
    for kind, section in _SECTIONS.items():
        own = sorted((each for each in devices if each.found.kind == kind), key=lambda each: -each.found.saved)
        for index, device in enumerate(own):
            block = [f"[{section}]", *_options(device, ports)]
            lines += ["", *(block if index == 0 else ["# or:", *(f"# {line}" for line in block)])]
    return "\n".join(lines) + "\n"


def _options(device: Device, ports: Sequence[str]) -> Iterator[str]:
    found = device.found
    yield f"type = {_quoted(device.type)}"
    if found.id is not None:
        yield f"id = {_quoted(found.id)}"
    if device.has_port:
        yield from (f"# port = {_quoted(port)}" for port in ports or ["/dev/serial/by-id/…"])
    if found.path != calibration_path(found.kind, device.peer_name, found.id):
        yield f"calibration_dir = {_quoted(str(found.path.parent.absolute()))}"
    yield f"calibration_hash = {_quoted(found.hash)}"


def _quoted(text: str) -> str:
    """A TOML basic string: JSON's escapes are among TOML's, only DEL is not allowed as it is."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
