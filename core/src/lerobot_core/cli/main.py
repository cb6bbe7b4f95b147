"""`lr`: help and core's own verbs without Typer (importing it takes half of what `lr --help` may), the rest through it."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from .. import __version__
from ..errors import UsageError
from ..registry import Registry, default_registry
from . import verbs
from .guard import guarded

HELP = ("-h", "--help", "help")


def main(argv: Sequence[str] | None = None) -> int:
    """The command. Returns the exit code: 0 done, 1 failed, 2 usage, 130 interrupted."""
    words = list(sys.argv[1:] if argv is None else argv)
    return guarded(lambda: dispatch(words, default_registry()), words)


def dispatch(argv: Sequence[str], registry: Registry) -> int:
    """Run what `argv` says; UserError when that cannot be."""
    if len(argv) > 1 and argv[0] == "help":
        argv = [argv[1], "--help"]
    if not argv or argv[0] in HELP:
        print(help_text(registry))
        return 0
    first = argv[0]
    if first in ("-V", "--version"):
        print(f"lerobot-core {__version__}")
        return 0
    if first.startswith("-"):
        raise UsageError(f"no verb before {first}", "options come after the verb", "lr --help lists the verbs")
    verbs.require(first, registry)
    if first in verbs.VERBS and not verbs.VERBS[first].typer:
        return verbs.run(first, argv[1:], registry)
    from .group import run

    return run(argv, registry)


def help_text(registry: Registry) -> str:
    """The verbs, from tables and metadata; no plugin is imported."""
    there, missing = verbs.installed(registry), verbs.missing(registry)
    column = max(len(row.name) for row in [*there, *missing]) + 4
    width = _width()
    lines = ["usage: lr VERB [OPTIONS]", "       lr VERB --help", "", "verbs"]
    lines += [f"  {row.name:<{column}}{row.help}"[:width] for row in there]
    if missing:
        lines += ["", "not installed"]
        lines += [f"  {row.name:<{column}}{row.help}"[:width] for row in missing]
    return "\n".join([*lines, "", "  --version, --help"])


def _width() -> int:
    try:
        return os.get_terminal_size(sys.stdout.fileno()).columns or 100
    except (AttributeError, OSError, ValueError):
        return 100
