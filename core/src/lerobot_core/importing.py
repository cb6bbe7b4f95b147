"""`lr import-lerobot`: a rig file out of what LeRobot left on this disk, and what to type next. Its folders are only read."""

from __future__ import annotations

import json
import os
import shlex
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from . import calibration
from .config.resolve import Resolved, resolve
from .config.run import VERBS, ImportConfig
from .errors import UsageError, UserError
from .known import hint
from .peer_files import Findings, FoundCalibration, FoundCheckpoint, FoundDataset, search
from .registry import Registry, default_registry
from .rig_text import Device, render

PATIENCE_S = 10.0
"""For importing one plugin: this is done once, and nobody waits at an arm for it."""


def run(verb: str, argv: Sequence[str]) -> int:
    """Search, print, write the rig file."""
    registry = default_registry()
    resolved: Resolved[ImportConfig] = resolve(VERBS[verb], argv, registry, os.environ)
    config = resolved.config
    if config.rig.suffix != ".toml":
        raise UsageError(f"{config.rig} is not called .toml", "", "--rig NAME.toml")
    home = (config.home or calibration.home()).expanduser()
    found = look(home, alone=config.home is not None)
    if not found:
        raise UserError(f"nothing of LeRobot's is in {home}", "", "if its files are elsewhere: --home DIR")
    devices, failures = known_devices(found.calibrations, registry)
    report = Report(found, devices, registry, (*found.problems, *failures))
    for problem in report.problems:
        print(f"warning: {problem}", file=sys.stderr)
    if not config.json:
        print("\n".join(report.lines()))
    rig = _write(config.rig, render(devices, _ports(), home), config.yes) if devices else None
    if config.json:
        print(json.dumps({"schema": 1, "verb": verb, "home": str(home), "rig": rig and str(rig), **report.as_json()}))
    else:
        print("\n".join(["", "next", *(f"  {line}" for line in report.next_steps(rig))]))
    return 0


def look(home: Path, alone: bool) -> Findings:
    """What is in `home`; unless it stands `alone`, also in the other places where the peer leaves things.

    Those are $HF_LEROBOT_CALIBRATION, the Hugging Face cache, and `outputs` here, where its training writes.
    """
    named = os.environ.get("HF_LEROBOT_CALIBRATION")
    calibrations = Path(named).expanduser() if named and not alone else home / "calibration"
    return search(home, calibrations, () if alone else (_hub_cache(), Path("outputs")))


def _hub_cache() -> Path:
    named = os.environ.get("HF_HUB_CACHE")
    return Path(named).expanduser() if named else calibration.hugging_face() / "hub"


def known_devices(found: Sequence[FoundCalibration], registry: Registry) -> tuple[list[Device], list[str]]:
    """Devices that an installed plugin drives, by the peer's name for them; and what is wrong with plugins, a text each.

    Every robot's and teleoperator's plugin is imported in a child process, as only its spec says the peer's name.
    """
    from .probe import PEER_NAMES, ask_each

    kinds = {each.kind for each in found}
    answers = list(
        ask_each([entry for kind in sorted(kinds) for entry in registry.entries(kind)], PEER_NAMES, PATIENCE_S)
    )
    specs = [spec for answer in answers for spec in answer.results]
    devices = []
    for each in found:
        own = [spec for spec in specs if spec["kind"] == each.kind and spec["peer_name"]]
        # An older folder is called as the device's type, which says more than the family.
        fitting = [spec for spec in own if spec["name"] == each.peer_name]
        fitting += [spec for spec in own if spec["peer_name"] == each.peer_name]
        devices += [Device(spec["name"], spec["peer_name"], spec["has_port"], each) for spec in fitting[:1]]
    return devices, [text for answer in answers for text in answer.failures]


def _ports() -> list[str]:
    from .devices.ports import serial_ports

    return [port.identity for port in serial_ports()]


def _write(path: Path, text: str, replace: bool) -> Path:
    try:
        with path.open("w" if replace else "x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        fix = "--yes replaces it, --rig OTHER.toml writes another"
        raise UserError(f"{path} is there already and was left as it is", "", fix) from None
    except OSError as error:
        raise UserError(f"{path} cannot be written", error.strerror or str(error), "--rig OTHER.toml") from error
    return path


@dataclass(frozen=True)
class Report:
    """What is said about the findings."""

    found: Findings
    devices: Sequence[Device]
    registry: Registry
    problems: Sequence[str]

    def as_json(self) -> dict[str, object]:
        """Lists of calibrations (`type`: None without a plugin), datasets and checkpoints, and the problems."""
        plain = self.found.as_json()
        for row, each in zip(plain["calibrations"], self.found.calibrations, strict=True):
            row["type"] = self._type(each)
        for row in plain["checkpoints"]:
            row["installed"] = self.registry.offers("policy", row["type"])
        return {**plain, "problems": list(self.problems)}

    def lines(self) -> Iterator[str]:
        """A table of each kind of thing."""
        found = self.found
        yield from _table("calibrations", [self._calibration(each) for each in found.calibrations])
        yield from _table("datasets", [_dataset(each) for each in found.datasets])
        yield from _table("checkpoints", [self._checkpoint(each) for each in found.checkpoints])

    def next_steps(self, rig: Path | None) -> Iterator[str]:
        """Commands, the most useful first."""
        given = f" --rig {shlex.quote(str(rig))}" if rig else ""
        if rig:
            ports = any(device.has_port for device in self.devices)
            yield f"{rig} is written" + ("; give each device its port in it: lr find ports" if ports else "")
            yield f"lr doctor{given}"
        newest = next((each for each in self.found.datasets if each.version.startswith("v3.")), None)
        if newest:
            yield f"lr dataset verify {shlex.quote(str(newest.root))}"
        for each in self.found.datasets:
            if each.version.startswith("v2."):
                yield f"lr dataset convert {shlex.quote(str(each.root))} --to {shlex.quote(each.root.name + '_v3')}"
        usable = [each for each in self.found.checkpoints if self.registry.offers("policy", each.type)]
        for checkpoint in usable[-1:]:
            yield f"lr rollout{given or ' --robot NAME'} --policy {shlex.quote(str(checkpoint.path))} --task …"

    def _type(self, found: FoundCalibration) -> str | None:
        return next((device.type for device in self.devices if device.found == found), None)

    def _calibration(self, found: FoundCalibration) -> tuple[str, ...]:
        told = self._type(found) or f"no plugin: {hint(found.kind, found.peer_name)}"
        return found.kind, found.peer_name, found.id or "(no id)", told

    def _checkpoint(self, found: FoundCheckpoint) -> tuple[str, ...]:
        there = self.registry.offers("policy", found.type)
        return found.type, str(found.path), "" if there else f"no plugin: {hint('policy', found.type)}"


def _dataset(found: FoundDataset) -> tuple[str, ...]:
    def count(value: float | None, unit: str) -> str:
        return f"{'?' if value is None else format(value, 'g')} {unit}"

    sizes = count(found.episodes, "episodes"), count(found.frames, "frames"), count(found.fps, "fps")
    return found.version, ", ".join(sizes), found.robot_type or "", found.repo_id, str(found.root)


def _table(title: str, rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    if not rows:
        yield f"{title}: none"
        return
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    yield title
    for row in rows:
        yield "  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
