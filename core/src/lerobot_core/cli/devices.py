"""`lr calibrate` and `lr setup-motors`: one device, and a person (or the simulated world's hands) beside it."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from ..errors import UsageError
from ..registry import Registry, default_registry

if TYPE_CHECKING:
    from ..clock import Clock
    from ..config.bases import Chosen
    from ..config.resolve import Resolved
    from ..config.run import RunConfig
    from ..contracts.robot import CalibrationUI
    from ..contracts.world import World
    from ..terminal import Terminal
    from .workbench import Workbench

METHODS = {"calibrate": "calibrate", "setup-motors": "setup_motors"}
NOTHING = {"calibrate": "nothing to calibrate", "setup-motors": "no motors that could get ids"}
LOOK_S = 0.02


def run(verb: str, argv: Sequence[str]) -> int:
    """Build the one device that was named and let it talk to the person."""
    from .options import read

    registry = default_registry()
    resolved = read(verb, argv, registry)
    if resolved is None:
        return 0
    section, chosen = _only(verb, resolved.config)
    if verb == "calibrate":
        _refuse_preset(section, resolved)
    _attend(verb, section, chosen, resolved, registry)
    if resolved.config.json:
        print(json.dumps({"schema": 1, "verb": verb, "outcome": "done", section: chosen.name}))
    return 0


def _only(verb: str, config: RunConfig) -> tuple[str, Chosen]:
    named = [(section, each) for section, each in (("robot", config.robot), ("teleop", config.teleop)) if each]
    if len(named) != 1:
        what = "one device at a time" if named else "a device"
        raise UsageError(f"lr {verb} wants {what}", "", f"lr {verb} --robot NAME, or --teleop NAME")
    return named[0]


def _refuse_preset(section: str, resolved: Resolved[RunConfig]) -> None:
    """A preset's calibration lies inside its plugin and is what everybody's runs begin with."""
    origin = resolved.origins.get(f"{section}.calibration_dir")
    if origin is not None and origin.source == "plugin":
        raise UsageError(
            f"{origin.detail} is calibrated", "its plugin brings the calibration along",
            f"to see how it goes: --{section}.calibration-dir FOLDER as well",
        )  # fmt: skip


def _attend(verb: str, section: str, chosen: Chosen, resolved: Resolved[RunConfig], registry: Registry) -> None:
    from .workbench import workbench

    # A new calibration has another hash than the one the rig file asks for.
    if hasattr(chosen.config, "calibration_hash"):
        chosen = dataclasses.replace(chosen, config=dataclasses.replace(chosen.config, calibration_hash=None))
    with workbench(verb, resolved.config, resolved.origins, registry) as bench:
        ui = ui_for(section, resolved.config.yes, bench)
        device: Any = bench.builder.part(section, chosen)
        method: Callable[[CalibrationUI], None] | None = getattr(device, METHODS[verb], None)
        if method is None:
            raise UsageError(f"{chosen.kind} '{chosen.name}' has {NOTHING[verb]}", "", f"leave lr {verb} out")
        method(ui)


def ui_for(section: str, yes: bool, bench: Workbench) -> CalibrationUI:
    """The person at the terminal; with `yes`, the hands of the world that the section's device is in."""
    if not yes:
        return bench.terminal
    worlds = bench.worlds.all_of(section)
    if not worlds:
        raise UsageError(
            "--yes moves only simulated joints", "on a real arm somebody has to move them", "leave --yes out"
        )
    return WorldHands(worlds, bench.clock, bench.terminal)


class WorldHands:
    """The person at a simulated arm, or at every arm of a device that is in several worlds."""

    def __init__(self, worlds: Sequence[World], clock: Clock, terminal: Terminal) -> None:
        self._worlds, self._clock, self._terminal = worlds, clock, terminal

    def say(self, text: str) -> None:
        """On the screen."""
        self._terminal.say(text)

    def wait_person(self, what: str) -> None:
        """The arm is put in the middle of its ranges, which is all that anybody is asked to wait for."""
        self._terminal.say(f"simulated hands: {what}")
        self._clock.sleep_until(self._clock.now() + self._do("middle"))

    def watch_person(self, what: str, look: Callable[[], None]) -> None:
        """Every joint is swept through its range."""
        self._terminal.say(f"simulated hands: {what}")
        end = self._clock.now() + self._do("ranges")
        while self._clock.now() < end:
            look()
            self._clock.sleep_until(self._clock.now() + LOOK_S)
        self._do("rest")

    def _do(self, what: str) -> float:
        return max(world.hands(what) for world in self._worlds)
