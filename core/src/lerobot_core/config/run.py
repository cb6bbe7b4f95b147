"""The options of every verb that touches devices: one dataclass, and which part of it each verb takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .bases import Chosen
from .fields import option, plugin_field
from .verb import Verb


@dataclass(frozen=True, kw_only=True)
class WorldConfig:
    """A simulated scene, when something in the run refers to one."""

    seed: int = option(0, help="first attempt's seed", low=0)
    auto_reset: bool | None = option(None, help="begin the next attempt after each; default: as the strategy does")


@dataclass(frozen=True, kw_only=True)
class RunConfig:
    """Everything a run is told. Sections hold plugins that were named; what a verb does not take keeps its default."""

    robot: Chosen | None = plugin_field("robot", help="the robot")
    teleop: Chosen | None = plugin_field("teleoperator", help="how a person moves it")
    camera: dict[str, Chosen] = plugin_field("camera", default=dict, help="a camera, by the name of its image")
    policy: Chosen | None = plugin_field("policy", help="a name, a checkpoint folder or org/name")
    inference: Chosen | None = plugin_field("inference", help="where the policy runs")
    strategy: Chosen | None = plugin_field("strategy", help="what is executed and recorded")
    dataset: Chosen | None = plugin_field("storage", help="where episodes go", fallback="lerobot")
    operator: dict[str, Chosen] = plugin_field("operator", default=dict, help="who steers the run")
    observer: dict[str, Chosen] = plugin_field("observer", default=dict, help="who watches it")
    processor: dict[str, Chosen] = plugin_field("processor", default=dict, help="robot-side steps, in order")
    world: WorldConfig = option(factory=WorldConfig, help="the simulated scene")

    duration: float | None = option(
        None, help="from the first action sent; 0 or absent: until stopped", unit="s", low=0.0
    )
    fps: float | None = option(
        None,
        help="policy periods a second; default: the resumed dataset's, the policy's, 30",
        unit="Hz",
        low=0.1,
        high=1000.0,
    )
    task: str = option("", help="the instruction")
    episode: int = option(0, help="which episode to replay", low=0)
    interpolation: int = option(1, help="commands sent per policy period", low=1, high=100)
    on_exit: str = option("park", help="park the arm or hold it where it is", choices=("park", "hold"))
    safety: bool = option(True, help="the safety filter, on or off")
    resume: bool = option(False, help="continue an existing dataset")
    interactive: bool | None = option(
        None, help="typed start, reset, task, stop and quit, with robot and policy warm throughout; no: nobody is there"
    )
    rename_map: dict[str, str] = option(factory=dict, help="{robot_key: policy_key}, for what the policy sees")

    show: bool = option(False, help="a picture of each camera")

    rig: Path | None = option(None, help="devices of this bench, from a file; else $LEROBOT_RIG")
    config: Path | None = option(None, help="options from a .toml, .yaml or .json file", aliases=("config_path",))
    json: bool = option(False, help="one JSON object on the last line of stdout")
    log_file: Path | None = option(None, help="write the log here as well")
    show_config: bool = option(False, help="print every value with its origin, and stop")
    yes: bool = option(False, help="do not ask")


@dataclass(frozen=True, kw_only=True)
class ImportConfig:
    """What `lr import-lerobot` is told."""

    home: Path | None = option(None, help="LeRobot's folder; default $HF_LEROBOT_HOME and where else it leaves things")
    rig: Path = option(Path("rig.toml"), help="the rig file to write")
    json: bool = option(False, help="one JSON object on the last line of stdout")
    yes: bool = option(False, help="replace a rig file that is there")


_CONTROL = {"rig", "config", "json", "log_file", "show_config", "yes"}
_DEVICES = {"robot", "teleop", "camera", "world"}
_LOOP = _CONTROL | _DEVICES | {
    "operator", "observer", "processor", "strategy",
    "duration", "fps", "task", "interpolation", "on_exit", "safety", "interactive",
}  # fmt: skip


def _run(name: str, summary: str, *more: str) -> Verb:
    return Verb(name, summary, RunConfig, frozenset(_LOOP | {*more}), fixed={"strategy": name}, needs=("robot",))


VERBS: dict[str, Verb] = {
    verb.name: verb
    for verb in (
        Verb(
            "rollout",
            "run a policy on a robot",
            RunConfig,
            frozenset(_LOOP | {"policy", "inference", "dataset", "resume", "rename_map"}),
            defaults={"strategy": "base", "inference": "sync"},
            needs=("robot", "strategy", "inference"),
        ),
        _run("teleoperate", "move a robot by hand"),
        _run("record", "record episodes while a person moves the robot", "dataset", "resume"),
        _run("replay", "play a recorded episode on a robot", "dataset", "episode"),
        Verb("calibrate", "measure a device's joints", RunConfig, frozenset(_CONTROL | _DEVICES)),
        Verb("setup-motors", "give the motors of a new arm their ids", RunConfig, frozenset(_CONTROL | _DEVICES)),
        Verb("find", "list devices that plugins can see", RunConfig, frozenset({"json", "log_file"})),
        Verb("import-lerobot", "a rig file out of what LeRobot left on this disk", ImportConfig, reads_rig=False),
        Verb("doctor", "look for what is wrong on this machine", RunConfig, frozenset(_CONTROL | _DEVICES)),
    )
}
"""The core's own verbs by name. `operator` has no default here: the run chooses `terminal` when a person is there."""

FIND: dict[str, Verb] = {
    "cameras": Verb(
        "find cameras",
        "list cameras; with --show a picture of each one found, or of those that are named",
        RunConfig,
        frozenset({"camera", "world", "show", "rig", "config", "json", "log_file"}),
    ),
    "joint-limits": Verb(
        "find joint-limits",
        "how far a person moves each joint of a limp arm, as limits for a rig file",
        RunConfig,
        frozenset(_CONTROL | _DEVICES),
    ),
}
"""What `lr find` takes when it is told what for; without a word here, it takes what `VERBS` says."""


def verb_of(name: str, argv: Sequence[str]) -> Verb:
    """The options of `lr NAME ARGV…`."""
    return FIND.get(argv[0], VERBS[name]) if name == "find" and argv else VERBS[name]
