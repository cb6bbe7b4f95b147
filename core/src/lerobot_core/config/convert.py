"""One value into one type: containers are walked here, msgspec converts the scalars in them."""

from __future__ import annotations

import math
import re
import typing
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Union

from .fields import Option
from .schema import describe, members, section_class

_TRUE, _FALSE = ("true", "on", "yes", "1"), ("false", "off", "no", "0")
_WHOLE = re.compile(r"[+-]?\d+")

Nested = Callable[[type[Any], Any, bool], Any]
"""Builds a dataclass inside a container: (class, value, loose) -> instance."""


class Mismatch(ValueError):
    """A value that is not of its type; `inside` is the key path within the value."""

    def __init__(self, text: str, inside: str = "") -> None:
        super().__init__(text)
        self.text, self.inside = text, inside

    def under(self, key: object) -> Mismatch:
        """The same, seen from one level further out."""
        return Mismatch(self.text, f".{key}{self.inside}")


class OutOfRange(Mismatch):
    """A value of the right type that is not allowed; the message says what is."""


def convert(value: Any, hint: Any, loose: bool, nested: Nested) -> Any:
    """`value` as `hint`.

    Args:
        value: plain data; with `loose`, text as a shell gives it.
        hint: a resolved type.
        loose: numbers and containers may be text.
        nested: builds dataclasses found inside containers.

    Raises:
        Mismatch: it is not of that type.
    """
    origin = typing.get_origin(hint)
    if origin in (Union, UnionType):
        return _union(value, hint, loose, nested)
    if hint is Any or hint is object:
        return parse(value, typed=True) if loose and isinstance(value, str) else value
    if section_class(hint):
        return nested(hint, _opened(value, hint) if loose else value, loose)
    plain = origin or hint
    if plain in (list, tuple, Sequence):
        return _sequence(value, hint, loose, nested)
    if plain in (dict, Mapping):
        return _mapping(value, hint, loose, nested)
    return _scalar(value, hint, loose)


def check_limits(value: Any, option: Option) -> None:
    """Refuse a number outside `low..high` and text that is not among the choices.

    Raises:
        OutOfRange: naming the unit and the range.
    """
    if isinstance(value, float) and math.isnan(value):
        raise OutOfRange("nan is not a number")
    if isinstance(value, int | float) and not isinstance(value, bool):
        below = option.low is not None and value < option.low
        if below or (option.high is not None and value > option.high):
            raise OutOfRange(f"{number(value)}{_unit(option)} is out of range, allowed is {span(option)}")
    for each in value if isinstance(value, list | tuple) else (value,):
        if option.choices and isinstance(each, str) and each not in option.choices:
            raise OutOfRange(f"{each!r} is not one of {', '.join(option.choices)}")


def span(option: Option) -> str:
    """`"0..5 s"`, `">= 0 s"`; "" where unbounded."""
    low, high = option.low, option.high
    if low is None and high is None:
        return ""
    if low is not None and high is not None:
        return f"{number(low)}..{number(high)}{_unit(option)}"
    return (f"<= {number(high)}" if high is not None else f">= {number(low)}") + _unit(option)


def number(value: float | None) -> str:
    """The shortest plain spelling: `4000000`, `0.1`."""
    return str(int(value)) if value is not None and value == value // 1 and abs(value) < 1e15 else str(value)


def parse(text: str, typed: bool = False) -> Any:
    """Text in YAML's flow notation (JSON is a part of it) as plain data; without `typed` every scalar stays text.

    Raises:
        Mismatch: it is not well formed.
    """
    import yaml

    try:
        # Plain text for scalars: `off`, `1:30` and `0x10` mean what the option's own type says, not what YAML says.
        return yaml.load(text, yaml.SafeLoader if typed else yaml.BaseLoader)
    except yaml.YAMLError as error:
        reason = getattr(error, "problem", None) or str(error)
        raise Mismatch(f"{text!r} cannot be read: {reason}") from None


def _unit(option: Option) -> str:
    return f" {option.unit}" if option.unit else ""


def _wrong(value: Any, hint: Any) -> Mismatch:
    return Mismatch(f"{value!r} is not {describe(hint)}")


def _has_any(hint: Any) -> bool:
    return hint is Any or any(_has_any(each) for each in typing.get_args(hint))


def _opened(value: Any, hint: Any) -> Any:
    """Containers typed in a shell arrive as one word."""
    if not isinstance(value, str):
        return value
    sequence = (typing.get_origin(hint) or hint) in (list, tuple, Sequence)
    bare = sequence and not value.lstrip().startswith("[")
    return parse(f"[{value}]" if bare else value, typed=_has_any(hint))


def _union(value: Any, hint: Any, loose: bool, nested: Nested) -> Any:
    options = [each for each in members(hint) if each is not NoneType]
    if NoneType in members(hint) and (value is None or (loose and _is_none(value, options))):
        return None
    found: list[Mismatch] = []
    # Text fits `str` and `Path` always, so these are asked last: `int | str` takes "0" for the number.
    for each in sorted(options, key=lambda each: (Path, str).index(each) + 1 if each in (Path, str) else 0):
        try:
            return convert(value, each, loose, nested)
        except Mismatch as mismatch:
            found.append(mismatch)
    raise found[0] if len(found) == 1 else _wrong(value, hint)


def _is_none(value: Any, options: list[Any]) -> bool:
    """`none` is text where text is wanted; elsewhere it is None."""
    return value in ("none", "null") and str not in options and Path not in options


def _sequence(value: Any, hint: Any, loose: bool, nested: Nested) -> Any:
    plain, inner = typing.get_origin(hint) or hint, typing.get_args(hint)
    if loose and isinstance(value, str):
        loose = not _has_any(hint)
        value = _opened(value, hint)
    if not isinstance(value, list | tuple):
        raise _wrong(value, hint)
    fixed = plain is tuple and inner and inner[-1] is not Ellipsis
    if fixed and len(value) != len(inner):
        raise Mismatch(f"{list(value)!r} has {len(value)} values, wanted are {len(inner)}")
    hints = inner if fixed else [inner[0] if inner else Any] * len(value)
    items = [_inside(i, each, item, loose, nested) for i, (each, item) in enumerate(zip(hints, value, strict=True))]
    return tuple(items) if plain is tuple else items


def _mapping(value: Any, hint: Any, loose: bool, nested: Nested) -> dict[Any, Any]:
    if loose and isinstance(value, str):
        loose = not _has_any(hint)
        value = _opened(value, hint)
    if not isinstance(value, Mapping):
        raise _wrong(value, hint)
    keys, values = typing.get_args(hint) or (Any, Any)
    # Keys are text in every file format but YAML; there `1: x` is meant as `"1": x`.
    return {
        _inside(key, keys, str(key) if keys is str else key, loose, nested): _inside(key, values, item, loose, nested)
        for key, item in value.items()
    }


def _inside(key: object, hint: Any, value: Any, loose: bool, nested: Nested) -> Any:
    try:
        return convert(value, hint, loose, nested)
    except Mismatch as mismatch:
        raise mismatch.under(key) from None


def _scalar(value: Any, hint: Any, loose: bool) -> Any:
    if hint is Path:
        return _path(value)
    if hint is bool:
        return _bool(value)
    if hint is int and loose and isinstance(value, str) and not _WHOLE.fullmatch(value):
        raise _wrong(value, hint)
    import msgspec

    try:
        return msgspec.convert(value, hint, strict=not loose)
    except msgspec.ValidationError:
        raise _wrong(value, hint) from None
    except TypeError as error:  # a type that msgspec cannot convert: the plugin's mistake, not the person's
        raise Mismatch(f"cannot be given here: {error}") from None


def _path(value: Any) -> Path:
    if not isinstance(value, str | Path) or not str(value):
        raise _wrong(value, Path)
    return Path(value).expanduser()


def _bool(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    word = value.lower() if isinstance(value, str) else ""
    if word not in _TRUE + _FALSE:
        raise _wrong(value, bool)
    return word in _TRUE
