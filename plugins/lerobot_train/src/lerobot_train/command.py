"""The Typer app of `lr train`; it reads its own options, because they depend on the policy."""

from __future__ import annotations

import typer

train = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)

_RAW = {"ignore_unknown_options": True, "allow_extra_args": True, "help_option_names": []}


@train.command(context_settings=_RAW)
def main(context: typer.Context) -> int:
    """Train a policy from a dataset."""
    argv = list(context.args)
    if {"-h", "--help"} & {*argv}:
        from lerobot_core.config.help import render
        from lerobot_core.registry import default_registry

        from .config import VERB

        print(render(VERB, argv, default_registry()))
        return 0
    from .main import run

    return run(argv)
