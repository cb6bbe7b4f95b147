"""The Typer apps of `lr serve` and `lr router`; they read their own options, because those depend on the policy."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from lerobot_core.config.verb import Verb

serve = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
router = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)

_RAW = {"ignore_unknown_options": True, "allow_extra_args": True, "help_option_names": []}


@serve.command(context_settings=_RAW)
def _serve(context: typer.Context) -> int:
    """Run a policy for robots elsewhere; `lr serve status` looks at one that runs."""
    from .config import SERVE

    words = [_manifest(word) for word in context.args]
    if words[:1] == ["status"]:
        from .status import run as status

        return status(words[1:])
    config = _read(SERVE, words)
    if config is None:
        return 0
    if config.init_tls is not None:
        return _make_certificates(config)
    from lerobot_core.registry import default_registry

    from .main import serve as run

    return run(config, default_registry())


@router.command(context_settings=_RAW)
def _router(context: typer.Context) -> int:
    """Join robots and servers that cannot reach each other directly."""
    from .config import ROUTER

    config = _read(ROUTER, context.args)
    if config is None:
        return 0
    if config.init_tls is not None:
        return _make_certificates(config)
    from .router import run

    return run(config)


def _manifest(word: str) -> str:
    """`--manifest FILE` is `--config FILE`: what a file can say and what options can is the same."""
    return "--config" + word[len("--manifest") :] if word.partition("=")[0] == "--manifest" else word


def _read(verb: Verb, argv: Sequence[str]) -> Any:
    from lerobot_core import logs
    from lerobot_core.config.resolve import resolve
    from lerobot_core.registry import default_registry

    if {"-h", "--help"} & {*argv}:
        from lerobot_core.config.help import render

        print(render(verb, argv, default_registry()))
        return None
    resolved = resolve(verb, argv, default_registry(), os.environ)
    for note in resolved.notes:
        print(note, file=sys.stderr)
    if resolved.config.show_config:
        from lerobot_core.config import show

        print(show.render(resolved))
        return None
    logs.setup(log_file=resolved.config.log_file)
    return resolved.config


def _make_certificates(config: Any) -> int:
    from .certificates import make

    for line in make(config.init_tls, _words(config.robots), _words(config.hosts)):
        print(line)
    return 0


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]
