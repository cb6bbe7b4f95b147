"""`--show-config`: every value with where it came from; and a configuration as plain data."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from .bases import Chosen
from .origin import DEFAULT
from .schema import is_secret

if TYPE_CHECKING:
    from .resolve import Resolved

MASK = "***"


class Row(NamedTuple):
    """One value: its key path, the value as plain data, and its origin in words."""

    path: str
    value: Any
    origin: str


def as_data(config: Any, mask: bool = False) -> dict[str, Any]:
    """A configuration as plain data, in the shape of a configuration file.

    Args:
        config: a configuration dataclass.
        mask: hide secrets; needed wherever the result is shown or stored.
    """
    return {field.name: _masked(field.name, getattr(config, field.name), mask) for field in dataclasses.fields(config)}


def rows(resolved: Resolved[Any]) -> list[Row]:
    """Every option the verb takes, in the order of their declaration, secrets masked."""
    data = as_data(resolved.config, mask=True)
    offered = {name: data[name] for name in resolved.verb.table()}
    return [Row(path, value, str(resolved.origins.get(path, DEFAULT))) for path, value in _flat(offered, resolved, "")]


def as_json(resolved: Resolved[Any]) -> dict[str, Any]:
    """For `--json` and `run.json`: `{"verb", "options": {path: {"value", "origin"}}}`, secrets masked."""
    options = {row.path: {"value": row.value, "origin": row.origin} for row in rows(resolved)}
    return {"verb": resolved.verb.name, "options": options}


def render(resolved: Resolved[Any]) -> str:
    """A plain text table: option, value, origin."""
    lines = [(row.path, _word(row.value), row.origin) for row in rows(resolved)]
    widths = [max((len(line[i]) for line in lines), default=0) for i in (0, 1)]
    # One very long value must not push every origin off the screen.
    widths[1] = min(widths[1], 40)
    return "\n".join(f"{path:<{widths[0]}}  {value:<{widths[1]}}  {origin}" for path, value, origin in lines)


def _masked(name: str, value: Any, mask: bool) -> Any:
    return MASK if mask and is_secret(name) and value is not None else _plain(value, mask)


def _plain(value: Any, mask: bool) -> Any:
    if isinstance(value, Chosen):
        return {"type": value.name, **as_data(value.config, mask)}
    if dataclasses.is_dataclass(value):
        return as_data(value, mask)
    if isinstance(value, Mapping):
        return {_plain(key, mask): _masked(str(key), each, mask) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each, mask) for each in value]
    if isinstance(value, Enum):
        return value.value
    return str(value) if isinstance(value, Path) else value


def _flat(data: Mapping[str, Any], resolved: Resolved[Any], path: str) -> Iterator[tuple[str, Any]]:
    """Leaves of the options; a mapping that is itself a value (`rename_map`) has an origin of its own."""
    for key, value in data.items():
        here = f"{path}.{key}" if path else key
        if isinstance(value, Mapping) and value and here not in resolved.origins:
            yield from _flat(value, resolved, here)
        else:
            yield here, value


def _word(value: Any) -> str:
    if value is None or value in ({}, [], ""):
        return "-"
    if isinstance(value, list):
        return ",".join(map(str, value))
    return str(value).lower() if isinstance(value, bool) else str(value)
