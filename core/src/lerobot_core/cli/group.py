"""The verbs as a Typer group: each is imported when it is named, none to list them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from ..errors import PluginError
from ..registry import Registry
from . import verbs

# Completion of a whole shell word is `lr completion`; what Typer adds to each app would name another program.
_FOREIGN = ("install_completion", "show_completion")


class RawVerb(TyperCommand):
    """A verb that reads its own command line: Typer passes everything through, `--help` included."""

    def __init__(self, name: str, registry: Registry) -> None:
        super().__init__(name, help=verbs.VERBS[name].help, rich_markup_mode=None)
        self._registry = registry

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Nothing is parsed here."""
        ctx.args = list(args)
        return []

    def invoke(self, ctx: Any) -> int:
        """Run it; the exit code."""
        assert self.name is not None
        return verbs.run(self.name, ctx.args, self._registry)


class VerbGroup(TyperGroup):
    """`lr` itself.

    Args:
        registry: says which verbs other distributions offer.
    """

    def __init__(self, registry: Registry) -> None:
        super().__init__(name="lr", rich_markup_mode=None)
        self._registry = registry

    def list_commands(self, ctx: Any) -> list[str]:
        """Names, from the table and from metadata."""
        return [row.name for row in verbs.installed(self._registry)]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Import one verb; UsageError or PluginError when that cannot be."""
        verbs.require(cmd_name, self._registry)
        verb = verbs.VERBS.get(cmd_name)
        if verb is not None and not verb.typer:
            return RawVerb(cmd_name, self._registry)
        app = verbs.target(verb) if verb is not None else self._registry.command(cmd_name)
        if not isinstance(app, typer.Typer):
            label = self._registry.find("command", cmd_name).label
            raise PluginError(f"the verb '{cmd_name}' ({label}) is no Typer app", f"it is a {type(app).__name__}")
        command = get_command(app)
        command.params = [param for param in command.params if param.name not in _FOREIGN]
        return command

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str, Any, list[str]]:
        """The verb that `args` begins with."""
        return args[0], self.get_command(ctx, args[0]), args[1:]

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """The same text as `lr --help`."""
        from .main import help_text

        formatter.write(help_text(self._registry) + "\n")


def run(argv: Sequence[str], registry: Registry) -> int:
    """Run a verb through Typer; the exit code is what the verb returned when that is a number, 2 for bad usage."""
    try:
        result = VerbGroup(registry).main(list(argv), prog_name="lr", standalone_mode=False)
    except typer.TyperException as error:
        show = getattr(error, "show", None)  # every one that a command line can cause has it
        show() if show else typer.echo(str(error), err=True)
        return error.exit_code
    except typer.Abort:
        typer.echo("aborted", err=True)
        return 1
    return result if type(result) is int else 0
