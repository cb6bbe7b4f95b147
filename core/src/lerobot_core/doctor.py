"""`lr doctor`: what is wrong on this machine, all of it at once, each with its fix; with `--robot`, `--teleop` or `--camera`, those as well.

machine   python, installed distributions and what they ask of each other, permissions, disk
plugins   every one imported and asked, by itself, in a child process
robot     connected, never engaged: how well it reads, what its motors say, what its cameras really deliver
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from .registry import Registry, default_registry
from .types import Problem

if TYPE_CHECKING:
    from .config.resolve import Resolved
    from .config.run import RunConfig


@dataclass
class Report:
    """What was looked at and what was found.

    Attributes:
        facts: {what: value} in the order of looking.
        devices: measurements of the robot and the teleoperator that were named.
        cameras: measurements by name.
        problems: errors and warnings, each with its fix.
    """

    facts: dict[str, Any] = field(default_factory=dict)
    devices: dict[str, dict[str, Any]] = field(default_factory=dict)
    cameras: dict[str, dict[str, Any]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """No error; warnings may be lived with."""
        return all(problem.level != "error" for problem in self.problems)

    def as_json(self) -> dict[str, Any]:
        """`{schema, verb, ok, facts, devices, cameras, problems}`."""
        problems = [asdict(problem) for problem in self.problems]
        parts = {"facts": self.facts, "devices": self.devices, "cameras": self.cameras, "problems": problems}
        return {"schema": 1, "verb": "doctor", "ok": self.ok, **parts}


def run(verb: str, argv: Sequence[str]) -> int:
    """Look, print, and return 1 when there is an error."""
    from .cli.options import read

    registry = default_registry()
    resolved = read(verb, argv, registry)
    if resolved is None:
        return 0
    report = examine(resolved, registry)
    print(json.dumps(report.as_json()) if resolved.config.json else "\n".join(lines(report)))
    return 0 if report.ok else 1


def examine(resolved: Resolved[RunConfig], registry: Registry) -> Report:
    """Everything, in order; the person is told what is going on, as some of it takes seconds."""
    from . import doctor_machine, doctor_plugins
    from .terminal import current

    report = Report()
    doctor_machine.look(report, registry)
    entries = registry.entries()
    with current() as terminal:
        with terminal.view("doctor") as now:
            doctor_plugins.look(report, entries, lambda name: now.update([f"asking {name}"]))
        config = resolved.config
        if config.robot or config.teleop or config.camera:
            from . import doctor_devices

            doctor_devices.look(report, resolved, registry, terminal)
    return report


def lines(report: Report) -> list[str]:
    """For a person: facts, measurements, problems, and a verdict."""
    text = [f"{what}: {value}" for what, value in report.facts.items()]
    for section, seen in report.devices.items():
        text += _device_lines(section, seen)
    for name, seen in report.cameras.items():
        measured = "no frame" if seen["fps"] is None else f"{seen['fps']:.1f} frames/s of {seen['asked']:g}"
        text.append(f"camera {name}: {measured}, {seen['identity']}")
    for problem in report.problems:
        text.append(f"{problem.level} {problem.where}: {problem.text}")
        text += [f"  {line}" for line in problem.fix.splitlines()]
    counts = [sum(p.level == level for p in report.problems) for level in ("error", "warning")]
    verdict = ", ".join(f"{n} {word}{'s'[: n != 1]}" for n, word in zip(counts, ("error", "warning"), strict=True) if n)
    return [*text, verdict or "nothing wrong was found"]


def _device_lines(section: str, seen: dict[str, Any]) -> list[str]:
    name = f"{section} {seen['name']}"
    if not seen["reads"]:
        return [f"{name}: could not be read"]
    timing = f"{seen['read_ms']['p50']:.1f} ms each (slowest {seen['read_ms']['max']:.1f})"
    text = [f"{name}: {seen['reads']} reads, {seen['failed']} failed, {timing}"]
    for motor in seen["health"]:
        about = ", ".join(f"{key} {value}" for key, value in motor.items() if key not in ("motor", "errors"))
        text.append(f"  {motor.get('motor', '?')}: {about}")
    return text
