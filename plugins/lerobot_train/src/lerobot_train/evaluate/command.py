"""`lr eval` from the command line to the exit code."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import typer

from .config import EVAL

if TYPE_CHECKING:
    from lerobot_core.config.resolve import Resolved
    from lerobot_core.registry import Registry

    from .config import EvalConfig

evaluate = typer.Typer(rich_markup_mode=None, add_completion=False, pretty_exceptions_enable=False)


@evaluate.command(
    name="eval",
    help=EVAL.summary,
    add_help_option=False,  # core's grammar and help know the options of the plugins that are named
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
)
def command(context: typer.Context) -> int:
    """Hand the words to core's grammar."""
    from lerobot_core.registry import default_registry

    return run(context.args, default_registry())


def run(argv: Sequence[str], registry: Registry) -> int:
    """Evaluate and return the exit code: 0 done or stopped, 1 failed, 130 two signals.

    Raises:
        UserError: the command line or a configuration is wrong.
    """
    if {"-h", "--help"} & {*argv}:
        from lerobot_core.config.help import render

        print(render(EVAL, argv, registry))
        return 0
    resolved = read(argv, registry)
    if resolved is None:
        return 0
    if resolved.config.env is not None:
        from .env import evaluate_env

        return evaluate_env(resolved, registry)
    from .robot import evaluate_robot

    return evaluate_robot(resolved, registry)


def read(argv: Sequence[str], registry: Registry) -> Resolved[EvalConfig] | None:
    """Decode the words; None when `--show-config` was all that was wanted.

    Raises:
        UserError: something in them is wrong, or there is not one of env and robot.
    """
    from lerobot_core.config.resolve import resolve

    resolved: Resolved[EvalConfig] = resolve(EVAL, argv, registry, os.environ)
    for note in resolved.notes:
        print(note, file=sys.stderr)
    if resolved.config.show_config:
        _show(resolved)
        return None
    _check(resolved.config)
    if resolved.config.output_dir is not None:
        from ..layout import make_folder

        make_folder(resolved.config.output_dir)
    return resolved


def _show(resolved: Resolved[Any]) -> None:
    import json

    from lerobot_core.config import show

    print(json.dumps(show.as_json(resolved)) if resolved.config.json else show.render(resolved))


def _check(config: EvalConfig) -> None:
    from lerobot_core.errors import UsageError

    if (config.env is None) == (config.robot is None):
        both = config.env is not None
        what = "both an env and a robot were named" if both else "`lr eval` needs an env or a robot"
        raise UsageError(what, "a policy is tried in one of them", "--env NAME, or --robot NAME")
    if config.policy is None and (config.env is not None or config.inference is None or _needs_policy(config)):
        raise UsageError("`lr eval` needs a policy", "", "--policy NAME, FOLDER or org/name")


def _needs_policy(config: EvalConfig) -> bool:
    return config.inference is not None and config.inference.spec.needs_policy
