"""What a configuration dataclass declares, read once a class: names, types, defaults and what kind of field each is."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from types import NoneType, UnionType
from typing import Any, Literal, Union

from ..errors import PluginError
from .fields import Option, option_of

REQUIRED = dataclasses.MISSING


@dataclass(frozen=True)
class Declared:
    """One field of a configuration class.

    Attributes:
        name: as in the class; `-` for `_` is accepted wherever a person types it.
        hint: its resolved type.
        option: help, unit, range, spellings.
        shape: `leaf` is one value, `section` a nested dataclass, `plugin` a `Chosen`, `plugins` several by name.
        field: the dataclass field.
    """

    name: str
    hint: Any
    option: Option
    shape: Literal["leaf", "section", "plugin", "plugins"]
    field: dataclasses.Field[Any]

    @property
    def required(self) -> bool:
        """True without a default."""
        return self.field.default is REQUIRED and self.field.default_factory is REQUIRED

    def default(self) -> Any:
        """The default, made anew where there is a factory; `REQUIRED` without one."""
        if self.field.default_factory is not REQUIRED:
            return self.field.default_factory()
        return self.field.default

    @property
    def is_bool(self) -> bool:
        """True for `bool` and `bool | None`: the option may stand without a value."""
        return bool in members(self.hint) and set(members(self.hint)) <= {bool, NoneType}


_read: dict[type[Any], Mapping[str, Declared]] = {}


def declared(cls: type[Any]) -> Mapping[str, Declared]:
    """The options of `cls` by name, in the order of their declaration.

    Raises:
        PluginError: it is no dataclass, or an annotation names something that does not exist at run time.
    """
    if cls not in _read:
        _read[cls] = _declared(cls)
    return _read[cls]


def _declared(cls: type[Any]) -> Mapping[str, Declared]:
    try:
        fields = [field for field in dataclasses.fields(cls) if field.init]
        hints = typing.get_type_hints(cls)
    except (NameError, AttributeError, TypeError) as error:
        raise PluginError(
            f"the options of {cls.__module__}.{cls.__qualname__} cannot be read",
            f"{type(error).__name__}: {error}",
            "it must be a dataclass whose annotations resolve at run time (no TYPE_CHECKING imports)",
        ) from error
    return {f.name: Declared(f.name, hints[f.name], option_of(f), _shape(f, hints[f.name]), f) for f in fields}


def spellings(cls: type[Any]) -> Mapping[str, str]:
    """Every accepted spelling of an option of `cls`, with underscores -> its field's name."""
    found = {alias.replace("-", "_"): name for name, each in declared(cls).items() for alias in each.option.aliases}
    return {**found, **{name: name for name in declared(cls)}}


def is_secret(name: str) -> bool:
    """True for options whose values are never shown: `token`, `password`, and names that end in `_token`, …"""
    return name.rpartition("_")[2] in ("token", "password")


def primary(cls: type[Any]) -> str:
    """The field that `--section VALUE` sets, "" without one."""
    return next((name for name, each in declared(cls).items() if each.option.primary), "")


def members(hint: Any) -> tuple[Any, ...]:
    """The members of a union, the type itself for others."""
    return typing.get_args(hint) if typing.get_origin(hint) in (Union, UnionType) else (hint,)


def section_class(hint: Any) -> type[Any] | None:
    """The dataclass of a nested section (`Pedal` or `Pedal | None`), None for other types."""
    rest = [each for each in members(hint) if each is not NoneType]
    alone = rest[0] if len(rest) == 1 else None
    return alone if isinstance(alone, type) and dataclasses.is_dataclass(alone) else None


def describe(hint: Any) -> str:
    """What a value of this type looks like, for messages and help."""
    origin = typing.get_origin(hint)
    if origin in (Union, UnionType):
        return " or ".join(describe(each) for each in members(hint) if each is not NoneType)
    if origin is Literal:
        return "one of " + ", ".join(map(str, typing.get_args(hint)))
    if isinstance(hint, type) and issubclass(hint, Enum):
        return "one of " + ", ".join(str(each.value) for each in hint)
    plain = origin or hint
    return _WORDS.get(getattr(plain, "__name__", ""), getattr(plain, "__name__", str(plain)))


_WORDS = {
    "bool": "true or false",
    "int": "a whole number",
    "float": "a number",
    "str": "text",
    "Path": "a path",
    "list": "a list",
    "tuple": "a list",
    "dict": "a {key: value} mapping",
    "Mapping": "a {key: value} mapping",
    "Sequence": "a list",
}


def _shape(field: dataclasses.Field[Any], hint: Any) -> Literal["leaf", "section", "plugin", "plugins"]:
    if option_of(field).plugin:
        return "plugins" if typing.get_origin(hint) is dict else "plugin"
    return "section" if section_class(hint) else "leaf"
