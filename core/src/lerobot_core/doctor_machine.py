"""The machine's part of `lr doctor`: Python, distributions, calibrations, ports and disk."""

from __future__ import annotations

import errno
import importlib.metadata
import os
import platform
import shutil
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from . import __version__, calibration
from .devices.ports import explain, latency_warning, serial_ports
from .errors import CalibrationError
from .metadata import normalise
from .types import Problem

if TYPE_CHECKING:
    from .doctor import Report
    from .registry import Registry

LOW_DISK_GB = 10.0
"""About an hour of two cameras; less is worth a warning before a session."""
STRANGERS = {"lerobot-dataset": "lerobot-storage-v3"}
"""Names on the public index that look like ours and are not, with what was meant."""


def look(report: Report, registry: Registry) -> None:
    """Add what the machine says of itself."""
    ours = dict(sorted(distributions()))
    report.facts["python"] = f"{platform.python_version()} ({sys.executable}) on {platform.platform(terse=True)}"
    report.facts["core"] = __version__
    report.facts["distributions"] = ", ".join(f"{name} {version}" for name, version in ours.items())
    report.problems += [
        *unmet(ours),
        *registry_problems(registry),
        *calibrations(report),
        *ports(report),
        *disk(report),
    ]


def distributions() -> Iterator[tuple[str, str]]:
    """Name and version of every installed distribution that bears our prefix; the peer itself is not one."""
    for each in importlib.metadata.distributions():
        name = normalise(each.metadata["Name"] or "")
        if name.startswith("lerobot-"):
            yield name, each.version


def unmet(ours: dict[str, str]) -> Iterator[Problem]:
    """What our distributions ask of each other and do not get."""
    from packaging.requirements import InvalidRequirement, Requirement

    for name in ours:
        if name in STRANGERS:
            fix = f"pip uninstall {name}; pip install {STRANGERS[name]}"
            yield Problem("warning", name, "this is somebody else's distribution", fix)
        for line in importlib.metadata.requires(name) or []:
            try:
                wanted = Requirement(line)
            except InvalidRequirement:
                continue
            other = normalise(wanted.name)
            if not other.startswith("lerobot-") or (wanted.marker and not wanted.marker.evaluate({"extra": ""})):
                continue
            if other not in ours:
                yield Problem("error", name, f"it needs {line}, which is not installed", f"pip install {other}")
            elif not wanted.specifier.contains(ours[other], prereleases=True):
                text = f"it needs {line}, installed is {ours[other]}"
                yield Problem("error", name, text, f"pip install -U {name} {other}")


def registry_problems(registry: Registry) -> Iterator[Problem]:
    """Metadata that cannot be read, and names that two distributions offer."""
    for broken in registry.broken():
        yield Problem("warning", "metadata", str(broken), f"remove {broken.folder}, or install it again")
    offers: dict[tuple[str, str], list[str]] = {}
    for entry in registry.entries():
        offers.setdefault((entry.kind, entry.name), []).append(entry.distribution)
    for (kind, name), found in offers.items():
        if len(found) > 1:
            fix = f"name one in full ({found[0]}:{name}), or pip uninstall {found[-1]}"
            yield Problem("warning", f"{kind} {name}", f"offered by {' and '.join(found)}", fix)


def calibrations(report: Report) -> Iterator[Problem]:
    """Every calibration file can be read."""
    folder = Path(os.environ.get("HF_LEROBOT_CALIBRATION") or calibration.home() / "calibration").expanduser()
    files = [path for path in sorted(folder.glob("*/*/*.json")) if not path.name.endswith(".meta.json")]
    report.facts["calibrations"] = f"{len(files)} in {folder}"
    for path in files:
        try:
            calibration.load(path)
        except CalibrationError as error:
            yield Problem("warning", "calibration", error.what, error.fix)


def ports(report: Report, dev: Path = Path("/dev"), sys: Path = Path("/sys")) -> Iterator[Problem]:
    """Serial ports: whether this user may open them, and whether their adapters keep answers back."""
    found = serial_ports(dev, sys)
    report.facts["serial ports"] = ", ".join(port.identity for port in found) or "none"
    for port in found:
        if not os.access(port.path, os.R_OK | os.W_OK):
            error = explain(port.path, PermissionError(errno.EACCES, "denied"))
            yield Problem("error", port.identity, f"{error.what}; {error.why}", error.fix)
        if warning := latency_warning(port):
            yield Problem("warning", port.identity, *warning.split("; better: "))


def disk(report: Report) -> Iterable[Problem]:
    """Room for datasets."""
    home = calibration.home()
    folder = next((each for each in (home, *home.absolute().parents) if each.exists()), Path("/"))
    free = shutil.disk_usage(folder).free / 1e9
    report.facts["disk"] = f"{free:.1f} GB free at {home}"
    if free >= LOW_DISK_GB:
        return []
    text = f"{free:.1f} GB free at {home}; an hour of two cameras takes about {LOW_DISK_GB:g}"
    return [Problem("warning", "disk", text, "make room, or record elsewhere: --dataset.root")]
