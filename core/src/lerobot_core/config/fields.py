"""How a configuration dataclass declares its options: help, unit, range, choices and other spellings, once, beside the field."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

_KEY = "lerobot"


@dataclass(frozen=True)
class Option:
    """What is known of one option besides its type and default.

    Attributes:
        help: one line for `--help`.
        unit: printed after the value (`"s"`, `"deg"`, `"Hz"`).
        low, high: inclusive limits of a number.
        choices: the allowed values of a string.
        aliases: other spellings of the name, the peer's among them.
        plugin: the kind, when the value names a plugin and its options.
        primary: `--section VALUE` sets this field (at most one a class).
        fallback: the plugin of a section that names none; there `--section VALUE` sets the plugin's primary field.
    """

    help: str = ""
    unit: str = ""
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    plugin: str = ""
    primary: bool = False
    fallback: str = ""


def option(
    default: Any = dataclasses.MISSING,
    *,
    factory: Any = dataclasses.MISSING,
    help: str,
    unit: str = "",
    low: float | None = None,
    high: float | None = None,
    choices: tuple[str, ...] = (),
    aliases: tuple[str, ...] = (),
    primary: bool = False,
) -> Any:
    """A dataclass field that is an option; without a default it is required."""
    meta = Option(help, unit, low, high, choices, aliases, "", primary)
    return dataclasses.field(default=default, default_factory=factory, metadata={_KEY: meta}, kw_only=True)


def plugin_field(
    kind: str, *, default: Any = None, help: str, aliases: tuple[str, ...] = (), fallback: str = ""
) -> Any:
    """A field that holds a `Chosen` plugin of `kind`; typed `dict[str, Chosen]` (`default=dict`) it holds several by
    name. A `default` that is text is the name of the plugin to take."""
    meta = Option(help=help, aliases=aliases, plugin=kind, fallback=fallback)
    if default is dict:
        return dataclasses.field(default_factory=dict, metadata={_KEY: meta}, kw_only=True)
    return dataclasses.field(default=default, metadata={_KEY: meta}, kw_only=True)


def option_of(field: dataclasses.Field[Any]) -> Option:
    """The field's `Option`; a plain dataclass field has an empty one."""
    found = field.metadata.get(_KEY)
    return found if isinstance(found, Option) else Option()
