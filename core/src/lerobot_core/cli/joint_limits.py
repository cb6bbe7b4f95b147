"""`lr find joint-limits`: how far a person moves each joint of a limp arm, and that as limits to paste. It never engages."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..errors import DeviceError, UsageError

if TYPE_CHECKING:
    from ..config.resolve import Resolved
    from ..config.run import RunConfig
    from ..registry import Registry
    from ..types import Features
    from .workbench import Workbench

PATIENCE = 25
"""Looks in a row (half a second) that may fail while cables are being moved about."""
STILL = 0.02
"""Share of its range by which a joint has to be moved to be told from one that nobody touched."""


@dataclass
class Reach:
    """How far one joint was moved, in its unit.

    Attributes:
        span: low to high of its calibrated range, None where it has none.
    """

    low: float
    high: float
    unit: str
    span: float | None

    @property
    def moved(self) -> bool:
        """Did anybody move it."""
        return self.high - self.low > STILL * (self.span or 0.0)

    def note(self, value: float) -> None:
        """It is there now."""
        self.low, self.high = min(self.low, value), max(self.high, value)


class Watch:
    """The joints of one device while it is moved.

    Args:
        read: its positions by key; other values are left out.
        features: unit and range of each joint.
    """

    def __init__(self, read: Callable[[], Mapping[str, Any]], features: Features) -> None:
        self._read, self._failed = read, 0
        first = read()
        self.joints = {
            key: Reach(first[key], first[key], feature.unit or "", _span(feature.low, feature.high))
            for key, feature in features.items()
            if not feature.shape
        }

    def look(self) -> None:
        """Read once.

        Raises:
            DeviceError: it has not answered for half a second.
        """
        try:
            found = self._read()
        except DeviceError:
            self._failed += 1
            if self._failed > PATIENCE:
                raise
            return
        self._failed = 0
        for key, joint in self.joints.items():
            joint.note(found[key])

    def lines(self, title: str) -> list[str]:
        """A table for a person."""
        width = max(map(len, self.joints), default=0)
        rows = [
            f"  {key:<{width}}  {joint.low:>8.1f} {joint.high:>8.1f} {joint.unit}{'' if joint.moved else '  not moved'}"
            for key, joint in self.joints.items()
        ]
        return [title, *(row.rstrip() for row in rows)]

    def as_json(self) -> dict[str, dict[str, Any]]:
        """`{key: {low, high, unit, moved}}`."""
        return {
            key: {"low": joint.low, "high": joint.high, "unit": joint.unit, "moved": joint.moved}
            for key, joint in self.joints.items()
        }


def toml(joints: Mapping[str, Reach]) -> list[str]:
    """`[robot.limits]` for a rig file, rounded outwards to a tenth; joints that were not moved are left as they are."""
    moved = {key: joint for key, joint in joints.items() if joint.moved}
    rows = [
        f"{json.dumps(key)} = {{ low = {math.floor(joint.low * 10) / 10}, high = {math.ceil(joint.high * 10) / 10} }}"
        for key, joint in moved.items()
    ]
    return ["[robot.limits]", *rows]


def run(resolved: Resolved[RunConfig], registry: Registry) -> int:
    """Connect what was named, let a person (`--yes`: the hands of its world) move it, print."""
    config = resolved.config
    if not (config.robot or config.teleop):
        raise UsageError("lr find joint-limits wants an arm", "", "lr find joint-limits --robot NAME")
    from .workbench import workbench

    with workbench("find", config, resolved.origins, registry) as bench:
        watches = _watched(config, bench)
    block = toml(watches.get("robot", watches.get("teleop")).joints)  # type: ignore[union-attr]  # one is there
    if config.json:
        joints = {section: watch.as_json() for section, watch in watches.items()}
        print(json.dumps({"schema": 1, "verb": "find", "joints": joints, "toml": "\n".join(block)}))
        return 0
    for section, watch in watches.items():
        print("\n".join([*watch.lines(section), ""]))
    print("\n".join(["# for a rig file, or a file for --config", *block]))
    return 0


def _watched(config: RunConfig, bench: Workbench) -> dict[str, Watch]:
    from .devices import ui_for

    named = {section: chosen for section, chosen in (("robot", config.robot), ("teleop", config.teleop)) if chosen}
    ui = ui_for("robot" if config.robot else "teleop", config.yes, bench)
    built: list[Any] = []
    try:
        watches: dict[str, Watch] = {}
        for section, chosen in named.items():
            device = bench.builder.part(section, chosen)
            built.append(device)
            device.connect()
            watches[section] = _limp(device) if section == "robot" else _released(device)
        with bench.terminal.view("joint limits") as region:

            def look() -> None:
                for watch in watches.values():
                    watch.look()
                region.update([line for section, watch in watches.items() for line in watch.lines(section)])

            ui.watch_person("move every joint as far as the robot may go", look)
        return watches
    finally:
        for device in reversed(built):
            device.disconnect()


def _limp(robot: Any) -> Watch:
    # Whoever had the arm last may have left it stiff (--on-exit hold); a robot that cannot be told is never engaged anyway.
    getattr(robot, "let_go", robot.disengage)()
    return Watch(robot.get_observation, robot.action_features)


def _released(teleoperator: Any) -> Watch:
    teleoperator.release()
    return Watch(teleoperator.get_action, teleoperator.action_features)


def _span(low: float | None, high: float | None) -> float | None:
    return None if low is None or high is None else high - low
