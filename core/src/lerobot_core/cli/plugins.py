"""`lr plugins`: what is installed, what one plugin says about itself, does it keep its contract, a new one."""

from __future__ import annotations

import dataclasses
import json
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import ConfigError, UsageError, did_you_mean
from ..kinds import KINDS
from ..registry import default_registry

if TYPE_CHECKING:
    from ..specs import Overlay, Spec

app = typer.Typer(
    help="What is installed: list, show, check, new.",
    no_args_is_help=True,
    rich_markup_mode=None,
    add_completion=False,
    pretty_exceptions_enable=False,
)

KindName = Annotated[str, typer.Argument(metavar="KIND", help=f"one of {', '.join(KINDS)}")]
PluginName = Annotated[str, typer.Argument(metavar="NAME", help="as typed on the command line, or DISTRIBUTION:NAME")]


@app.command("list")
def list_plugins(
    kind: Annotated[str | None, typer.Argument(metavar="[KIND]", help="only this kind")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object on the last line")] = False,
) -> None:
    """Every plugin that is installed, from metadata: none is imported."""
    registry = default_registry()
    entries = registry.entries(kind)
    for broken in registry.broken():
        typer.echo(f"warning: {broken}", err=True)
    if as_json:
        keys = ("kind", "name", "distribution", "version", "origin")
        typer.echo(json.dumps({"plugins": [{key: getattr(entry, key) for key in keys} for entry in entries]}))
        return
    rows = [(entry.kind, entry.name, entry.distribution, entry.version, entry.origin) for entry in entries]
    _print_columns(rows or [("nothing installed",)])


@app.command()
def show(kind: KindName, name: PluginName) -> None:
    """What one plugin says about itself, with its options; imports that plugin only."""
    registry = default_registry()
    registry.entries(kind)
    entry = registry.find(kind, name)
    # A verb or a scheme has no spec: its distribution's summary is all there is.
    answer = registry.resolve(kind, name) if KINDS[kind].hook else {}
    facts = [
        ("distribution", entry.label),
        ("module", entry.value),
        ("origin", entry.origin),
    ]
    typer.echo(f"{kind} {entry.name}: {getattr(answer, 'summary', '') or entry.summary}")
    _print_columns([*facts, *_own_facts(answer)], indent=2)
    options = list(_options(kind, answer))
    if options:
        typer.echo("options")
        _print_columns(options, indent=2)


@app.command()
def check(
    words: Annotated[list[str], typer.Argument(metavar="[KIND] NAME", help="a plugin, of this kind or of every kind")],
) -> None:
    """Runs the conformance kit against a plugin; a plugin that cannot be loaded shows its traceback."""
    from .plugins_check import conforms

    if len(words) > 2:
        raise UsageError(f"{words[2]!r} is too much", "one plugin at a time", f"lr plugins check {' '.join(words[:2])}")
    kinds = words[:1] if len(words) == 2 else _kinds_of(words[0])
    results = [conforms(default_registry(), kind, words[-1]) for kind in kinds]
    if not all(results):
        raise typer.Exit(1)


@app.command()
def new(
    kind: KindName,
    name: Annotated[str, typer.Argument(metavar="NAME", help="lower case, digits and underscores")],
    directory: Annotated[Path | None, typer.Option("--dir", help="default lerobot_KIND_NAME here")] = None,
) -> None:
    """Writes a distribution with one working plugin, ready to install and to change."""
    makeable = [row.name for row in KINDS.values() if row.hook]
    if kind not in makeable:
        raise UsageError(f"{kind!r} is no kind to make", f"kinds: {', '.join(makeable)}", did_you_mean(kind, makeable))
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        raise UsageError(
            f"{name!r} is no plugin name", "lower case, digits and underscores", "lr plugins new robot acme"
        )
    target = directory or Path(f"lerobot_{kind}_{name}")
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise ConfigError(f"{target} is already there", "nothing was written", "choose another with --dir")
    from ..template_maker import make

    try:
        make(kind, name, target)
    except OSError as error:
        raise ConfigError(
            f"{target} cannot be written", error.strerror or str(error), "choose another --dir"
        ) from error
    typer.echo(f"wrote {target}\nnext: pip install -e {target}\nthen: lr plugins check {kind} {name}")


def _kinds_of(name: str) -> list[str]:
    registry = default_registry()
    kinds = [kind for kind, row in KINDS.items() if row.conformance and registry.offers(kind, name)]
    if not kinds and name in KINDS:
        offered = sorted({entry.name for entry in registry.entries(name)})
        fix = f"lr plugins check {name} NAME; installed: {', '.join(offered) or 'none'}"
        raise UsageError(f"lr plugins check wants the name of a {name}", "", fix)
    if not kinds:
        names = sorted({entry.name for entry in registry.entries()})
        raise UsageError(f"no plugin of any kind is named {name!r}", "", did_you_mean(name, names) or "lr plugins list")
    return kinds


def _own_facts(answer: Spec | Overlay | Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    """What a spec says besides its options, or what a preset or a reference stands for."""
    sections = answer if isinstance(answer, Mapping) else getattr(answer, "sections", None)
    if sections is not None:
        yield from (("stands for", f"{key} = {value}") for key, value in _flat(sections))
        return
    for key in ("aliases", "requires"):
        if getattr(answer, key):
            yield key, ", ".join(getattr(answer, key))


def _flat(sections: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in sections.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield prefix + key, value


def _options(kind: str, answer: object) -> Iterator[tuple[str, ...]]:
    """(flag, type, help and default) of every field of a spec's config."""
    config = getattr(answer, "config", None)
    if config is None:
        return
    row = KINDS[kind]
    prefix = f"--{row.section}.NAME" if row.plural else f"--{row.section}"
    for field in dataclasses.fields(config):
        yield f"{prefix}.{field.name.replace('_', '-')}", _type(field), _explain(field)


def _type(field: dataclasses.Field[Any]) -> str:
    return field.type.__name__ if type(field.type) is type else str(field.type)


def _explain(field: dataclasses.Field[Any]) -> str:
    from ..config.fields import option_of

    option = option_of(field)
    notes = [f"one of {', '.join(option.choices)}"] if option.choices else []
    if field.default_factory is not dataclasses.MISSING:
        notes.append(f"default {field.default_factory()}")
    else:
        notes.append("required" if field.default is dataclasses.MISSING else f"default {field.default}")
    notes[-1] += f" {option.unit}" if option.unit else ""
    return f"{option.help} ({'; '.join(notes)})".lstrip()


def _print_columns(rows: Iterable[tuple[str, ...]], indent: int = 0) -> None:
    table = list(rows)
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for row in table:
        line = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        sys.stdout.write(f"{' ' * indent}{line.rstrip()}\n")
