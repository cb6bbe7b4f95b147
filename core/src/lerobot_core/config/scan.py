"""The command line, read once, before anything is imported: which options were typed, with which text.

Whether an option takes a value is not known here, and need not be: a word that does not begin with a dash belongs to
the option before it. Numbers may be negative; any other value that begins with a dash is given with `=`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from ..errors import UsageError
from .origin import Layer, Origin, Typed
from .problems import Problems
from .schema import Declared

_VALUE = re.compile(r"(?!-)|-$|-(\.?\d|inf$|nan$)")
_PATH = re.compile(r"[^.\s]+(\.[^.\s]+)*")


class Given(NamedTuple):
    """One option as typed.

    Attributes:
        path: its segments, as typed but for the dashes in front.
        text: its value, None when it stands alone.
        spelled: the option with its dashes, without the value.
    """

    path: tuple[str, ...]
    text: str | None
    spelled: str


def scan(argv: Sequence[str]) -> list[Given]:
    """Split an argument vector into options.

    Raises:
        UsageError: a word that belongs to no option, or an option that is not spelled like one.
    """
    problems = Problems()
    found: list[Given] = []
    waiting = False
    for word in argv:
        if word.startswith("--") and word != "--":
            given = _option(word, problems)
            found += [given] if given else []
            waiting = given is not None and given.text is None
        elif waiting and _VALUE.match(word):
            found[-1] = found[-1]._replace(text=word)
            waiting = False
        else:
            problems.add(_stray(word))
            waiting = False
    problems.raise_any()
    return found


def layer(given: Iterable[Given], table: Mapping[str, Declared]) -> Layer:
    """The command line's layer: options nested by their segments, the last of several winning.

    Args:
        given: what was typed, peer spellings already rewritten.
        table: the verb's fields; they say which first segments hold plugins.
    """
    data: dict[str, Any] = {}
    for each in given:
        path = _canonical(each, table)
        put(data, path, Typed(each.text, each.spelled))
    return Layer(Origin("command line"), data)


def last(given: Iterable[Given], name: str) -> Given | None:
    """The last time a flag was typed."""
    return next((each for each in reversed(list(given)) if tuple(map(_snake, each.path)) == (name,)), None)


def _option(word: str, problems: Problems) -> Given | None:
    spelled, equals, text = word.partition("=")
    name = spelled[2:]
    if not _PATH.fullmatch(name):
        problems.add(
            UsageError(f"{word!r} is not an option", "options look like --robot.port VALUE or --robot.port=VALUE")
        )
        return None
    return Given(tuple(name.split(".")), text if equals else None, spelled)


def _stray(word: str) -> UsageError:
    if word.startswith("-"):
        return UsageError(
            f"there is no option {word}", "", "options begin with two dashes; a value with a dash needs `=`"
        )
    return UsageError(f"{word!r} belongs to no option", "", f"write --OPTION {word}, or quote a value with spaces")


def _snake(word: str) -> str:
    return word.replace("-", "_")


def _canonical(given: Given, table: Mapping[str, Declared]) -> tuple[str, ...]:
    """The path in the shape of a file: names of instances as typed, everything else with underscores."""
    path, first = list(given.path), _snake(given.path[0])
    if first.startswith("no_") and first not in table and len(path) > 1:  # --no-a.b is --a.no-b
        path = [path[0][3:], *path[1:-1], f"no_{path[-1]}"]
        first = _snake(path[0])
    shape = table[first].shape if first in table else "leaf"
    instance = path[1:2] if shape == "plugins" else []
    path = [first, *instance, *map(_snake, path[1 + len(instance) :])]
    text = given.text
    if text is None or text.lstrip().startswith("{"):
        return tuple(path)
    if shape == "plugins" and len(path) == 1 and text != "none":  # --observer rerun is --observer.rerun.type rerun
        path.append(text)
    single = shape == "plugin" and len(path) == 1 and not table[first].option.fallback
    return (*path, "type") if single or (shape == "plugins" and len(path) == 2) else tuple(path)


def put(data: dict[str, Any], path: tuple[str, ...], value: Typed) -> None:
    """Set a value in nested options; one that has both a value and options keeps the value under ""."""
    key, *rest = path
    if not rest:
        if isinstance(data.get(key), dict):
            put(data[key], ("",), value)
        else:
            data.pop(key, None)  # later ones come later, also between two spellings of one option
            data[key] = value
        return
    if not isinstance(data.get(key), dict):
        data[key] = {"": data[key]} if key in data else {}
    put(data[key], tuple(rest), value)
