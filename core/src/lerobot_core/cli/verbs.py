"""The verbs: one table for help, dispatch, completion and the Typer group. Nothing here imports what a verb runs."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from ..errors import PluginError, UsageError, did_you_mean
from ..known import home
from ..registry import Registry

if TYPE_CHECKING:
    from ..metadata import Entry

Run = Callable[[str, Sequence[str]], int]


class Row(NamedTuple):
    """One verb of core; its options are in `config.run`.

    Attributes:
        target: `module:attribute`, imported when the verb is named.
        help: one line; "" hides the verb.
        typer: the target is a Typer app; else a function `(verb, argv) -> exit code` that reads its own options.
    """

    target: str
    help: str
    typer: bool = False


VERBS: dict[str, Row] = {
    "rollout": Row("lerobot_core.run.main:run_verb", "run a policy on a robot"),
    "teleoperate": Row("lerobot_core.run.main:run_verb", "move a robot by hand"),
    "record": Row("lerobot_core.run.main:run_verb", "record episodes while a person moves the robot"),
    "replay": Row("lerobot_core.run.main:run_verb", "play a recorded episode on a robot"),
    "calibrate": Row("lerobot_core.cli.devices:run", "measure a device's joints"),
    "setup-motors": Row("lerobot_core.cli.devices:run", "give the motors of a new arm their ids"),
    "find": Row("lerobot_core.cli.find:run", "list devices that plugins can see"),
    "import-lerobot": Row("lerobot_core.importing:run", "a rig file out of what LeRobot left on this disk"),
    "doctor": Row("lerobot_core.doctor:run", "look for what is wrong on this machine"),
    "plugins": Row("lerobot_core.cli.plugins:app", "what is installed: list, show, check, new", typer=True),
    "completion": Row("lerobot_core.cli.completion:run", "print what makes a shell complete verbs and plugins"),
    "_complete": Row("lerobot_core.cli.completion:complete", ""),
}
ELSEWHERE = {
    "dataset": "look at, check, mend, edit, publish and fetch datasets",
    "train": "train a policy from a dataset",
    "eval": "count how often a policy succeeds",
    "serve": "run a policy for robots elsewhere",
    "router": "join robots and servers that cannot reach each other",
}
"""Verbs of other distributions of ours, named even where they are not installed; a summary of one of them is too long."""


class Listed(NamedTuple):
    """One row of the help text."""

    name: str
    help: str


def installed(registry: Registry) -> list[Listed]:
    """Core's verbs, then those of other distributions with their summaries, by name; from metadata alone."""
    offered: dict[str, list[Entry]] = {}
    for entry in registry.entries("command"):
        if entry.name not in VERBS:
            offered.setdefault(entry.name, []).append(entry)
    ours = [Listed(name, verb.help) for name, verb in VERBS.items() if verb.help]
    order = [*(name for name in ELSEWHERE if name in offered), *(name for name in offered if name not in ELSEWHERE)]
    return ours + [Listed(name, _summary(offered[name])) for name in order]


def missing(registry: Registry) -> list[Listed]:
    """Verbs of ours that are not installed, with what to type."""
    there = {row.name for row in installed(registry)}
    return [Listed(name, f"pip install {home('command', name)}") for name in ELSEWHERE if name not in there]


def require(name: str, registry: Registry) -> None:
    """Returns when `name` is a verb.

    Raises:
        PluginError: it is one of ours, not installed.
        UsageError: nobody knows it.
    """
    names = [row.name for row in installed(registry)]
    if name in names or name in VERBS:
        return
    if name in ELSEWHERE:
        raise PluginError(f"the verb '{name}' is not installed", "", f"pip install {home('command', name)}")
    fix = did_you_mean(name, [*names, *ELSEWHERE]) or "lr --help lists them"
    raise UsageError(f"there is no verb '{name}'", "", fix)


def target(verb: Row) -> Any:
    """What a verb of core runs, imported now."""
    module, _, attribute = verb.target.partition(":")
    return getattr(importlib.import_module(module), attribute)


def run(name: str, argv: Sequence[str], registry: Registry) -> int:
    """Run a verb of core that reads its own options; `--help` anywhere prints its help instead."""
    if not {"-h", "--help"} & {*argv} or name == "_complete":
        function: Run = target(VERBS[name])
        return function(name, argv)
    if name == "completion":
        from .completion import USAGE

        print(USAGE)
        return 0
    from ..config.help import render
    from ..config.run import verb_of

    print(render(verb_of(name, argv), argv if name != "find" else _options(argv), registry))
    return 0


def _options(argv: Sequence[str]) -> Sequence[str]:
    """Without the word that says what to find."""
    return argv[1:] if argv and not argv[0].startswith("-") else argv


def _summary(entries: list[Entry]) -> str:
    if len(entries) > 1:
        return f"offered by {' and '.join(entry.distribution for entry in entries)}: uninstall one"
    return ELSEWHERE.get(entries[0].name, entries[0].summary)
