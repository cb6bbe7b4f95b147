"""From plain data to configuration dataclasses: the only way in, with every mistake named by its key path."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from ..errors import UserError
from .bases import Chosen
from .choose import Names, choose, nearest, unfolded
from .convert import Mismatch, OutOfRange, check_limits, convert, span
from .origin import DEFAULT, Origin, Origins, Piece, Typed
from .problems import Problems
from .schema import REQUIRED, Declared, declared, describe, is_secret, primary, section_class, spellings

if TYPE_CHECKING:
    from .catalogue import Catalogue

T = TypeVar("T")

FAILED: Any = object()
"""Stands for a value that could not be had; its problem is recorded."""


def decode(cls: type[T], data: Mapping[str, Any], origin: Origin, registry: Catalogue | None = None) -> T:
    """An instance of the configuration dataclass `cls` from plain data.

    Args:
        cls: a dataclass; its fields may be scalars, containers, dataclasses and plugins (`plugin_field`).
        data: option -> value; `-` and `_` are the same in keys. From the command line or the environment, values may
            be text for any type.
        origin: where `data` comes from, for messages.
        registry: needed when `cls` has plugin fields.

    Raises:
        ConfigError: unknown keys, wrong types, values out of range, required options missing: all of them at once.
        PluginError: a named plugin cannot be had.
    """
    decoder = Decoder(Names(registry))
    found = decoder.section(cls, [Piece(origin, data)], "")
    decoder.finish()
    return found  # type: ignore[no-any-return]  # FAILED never gets past `finish`


class Decoder:
    """Walks a configuration class and the layers side by side.

    Attributes:
        names: what plugin names stand for.
        problems: what was wrong so far.
        origins: where each decoded value came from.
    """

    def __init__(self, names: Names, fixed: Mapping[str, str] | None = None, dashes: str = "") -> None:
        """`fixed` holds sections whose plugin is not for choice; `dashes` is `--` where options are typed."""
        self.names, self.fixed, self.dashes = names, fixed or {}, dashes
        self.problems = Problems()
        self.origins: Origins = {}
        self._missing: list[str] = []

    def finish(self) -> None:
        """Raise what was found.

        Raises:
            UserError: one that names every problem.
        """
        if self._missing:
            plural = "s" if len(self._missing) > 1 else ""
            self.problems.config(f"missing option{plural}: {', '.join(self._missing)}")
        self.problems.raise_any()

    def section(
        self, cls: type[Any], pieces: Sequence[Piece], path: str, base: Any = None, only: Collection[str] = ()
    ) -> Any:
        """An instance of `cls`, or `FAILED`.

        Args:
            cls: the dataclass.
            pieces: what each layer says about it, lowest first.
            path: its dotted key path.
            base: an instance whose values are the defaults.
            only: the fields on offer; the others keep their defaults. Empty means all.
        """
        try:
            table = declared(cls)
        except UserError as error:
            self.problems.add(error)
            return FAILED
        offered = [name for name in table if not only or name in only]
        sorted_pieces = self._by_field(cls, pieces, path, offered)
        values = {
            name: self._field(table[name], sorted_pieces.get(name, []), _join(path, name), base) for name in offered
        }
        if any(value is FAILED for value in values.values()):
            return FAILED
        return self._make(cls, values, path)

    def _make(self, cls: type[Any], values: dict[str, Any], path: str) -> Any:
        try:
            return cls(**values)
        except UserError as error:
            self.problems.add(error)
        except (ValueError, TypeError) as error:  # a class's own check of values that do not go together
            self.problems.config(f"{path or cls.__name__}: {error}")
        return FAILED

    def _by_field(
        self, cls: type[Any], pieces: Sequence[Piece], path: str, offered: Sequence[str]
    ) -> dict[str, list[Piece]]:
        found: dict[str, list[Piece]] = {}
        for piece in self._unfolded(pieces, path):
            for key, value in self._items(cls, piece, path):
                name, value = self._declared_name(cls, key, value)
                if name in offered:
                    found.setdefault(name, []).append(Piece(piece.origin, value))
                else:
                    guess = nearest(key, offered)
                    fix = f"did you mean {self._spelled(_join(path, guess))}?" if guess else ""
                    fix = "another verb takes it" if name else fix
                    if self._declared_name(cls, key, Typed(None, ""))[0] in offered:
                        fix = f"it takes no value: {self._spelled(_join(path, key))} alone, or leave it out"
                    self._unknown(Piece(piece.origin, value), _join(path, key), fix)
        return found

    def _unfolded(self, pieces: Sequence[Piece], path: str) -> list[Piece]:
        try:
            return unfolded(pieces)
        except Mismatch as mismatch:
            self._mismatch(pieces[-1], path, mismatch)
            return []

    def _items(self, cls: type[Any], piece: Piece, path: str) -> list[tuple[str, Any]]:
        first = primary(cls)
        if isinstance(piece.value, Mapping):
            return [(str(key) or first, each) for key, each in piece.value.items()]
        if first:
            return [(first, piece.value)]
        self.problems.config(f"{piece.exact.where(path)}: {_shown(piece.value)} is not a section of options")
        return []

    def _declared_name(self, cls: type[Any], key: str, value: Any) -> tuple[str, Any]:
        """The field that a key means; `no_x` is the opposite of a declared boolean `x`."""
        plain, known = key.replace("-", "_"), spellings(cls)
        if plain not in known and plain.startswith("no_") and isinstance(value, Typed) and value.text is None:
            name = known.get(plain[3:], "")
            if name and declared(cls)[name].is_bool:
                return name, Typed("false", value.spelled)
        return known.get(plain, ""), value

    def _unknown(self, piece: Piece, where: str, fix: str) -> None:
        if isinstance(piece.value, Mapping) and piece.loose:
            for key, each in piece.value.items():
                self._unknown(Piece(piece.origin, each), _join(where, key) if key else where, fix)
        elif piece.origin.source == "command line":
            what = f"there is no option {piece.exact.where(where)} here"
            self.problems.usage(what, "", fix or "`--help` lists the options")
        else:
            self.problems.config(f"there is no option {piece.exact.where(where)}", "", fix)

    def _spelled(self, path: str) -> str:
        return f"{self.dashes}{path.replace('_', '-')}" if self.dashes else path

    def _field(self, each: Declared, pieces: list[Piece], path: str, base: Any) -> Any:
        if each.shape == "plugin":
            return self._plugin(each, pieces, path)
        if each.shape == "plugins":
            return self._plugins(each, pieces, path)
        default = each.default() if base is None else getattr(base, each.name)
        if each.shape == "section":
            return self._nested(each, pieces, path, default)
        if pieces:
            return self._leaf(each, pieces[-1], path)
        self.origins[path] = DEFAULT
        return self._required(each, path) if default is REQUIRED else default

    def _required(self, each: Declared, path: str) -> Any:
        help = f" ({each.option.help})" if each.option.help else ""
        self._missing.append(f"{self._spelled(path)}{help}")
        return FAILED

    def _nested(self, each: Declared, pieces: list[Piece], path: str, default: Any) -> Any:
        if pieces and (pieces[-1].value is None or pieces[-1].text in ("none", "null")):
            self.origins[path] = pieces[-1].exact
            return None
        if default is None and not pieces:
            self.origins[path] = DEFAULT
            return None
        cls = section_class(each.hint)
        assert cls is not None, "the shape says it is a section"
        return self.section(cls, pieces, path, base=None if default is REQUIRED else default)

    def _leaf(self, each: Declared, piece: Piece, path: str) -> Any:
        if isinstance(piece.value, Typed) and piece.value.text is None:
            if each.is_bool:
                piece = Piece(piece.origin, Typed("true", piece.value.spelled))
            else:
                self.problems.usage(f"{piece.exact.where(path)} needs a value", "", _wanted(each))
                return FAILED
        if isinstance(piece.value, Mapping) and piece.loose and any(map(_typed_inside, piece.value.values())):
            self.problems.usage(f"{self._spelled(path)} takes one value, not options of its own", "", _wanted(each))
            return FAILED
        self.origins[path] = piece.exact
        try:
            value = piece.value.text if isinstance(piece.value, Typed) else piece.value
            found = convert(value, each.hint, piece.loose, self._inside)
            check_limits(found, each.option)
        except OutOfRange as mismatch:
            return self._mismatch(piece, path, mismatch)
        except Mismatch as mismatch:
            told = Mismatch("a value of another type") if is_secret(each.name) else mismatch
            return self._mismatch(piece, path, told, _wanted(each))
        return found

    def _inside(self, cls: type[Any], value: Any, loose: bool) -> Any:
        """A dataclass in a container: no layers, so its problems are told like any value's."""
        inner = Decoder(self.names)
        found = inner.section(cls, [Piece(Origin("command line" if loose else "config"), value)], "")
        try:
            inner.finish()
        except UserError as error:
            raise Mismatch("; ".join(str(error).split("\n"))) from None
        return found

    def _mismatch(self, piece: Piece, path: str, mismatch: Mismatch, wanted: str = "") -> Any:
        self.problems.config(f"{piece.exact.where(path + mismatch.inside)}: {mismatch.text}", "", wanted)
        return FAILED

    def _plugin(self, each: Declared, pieces: list[Piece], path: str, instance: str = "") -> Any:
        if isinstance(each.field.default, str):
            pieces = [Piece(DEFAULT, each.field.default), *pieces]
        if path in self.fixed and not self._is_fixed(path, pieces):
            return FAILED
        try:
            choice = choose(self.names, each.option.plugin, path, pieces, each.option.fallback, instance)
        except Mismatch as mismatch:
            return self._mismatch(pieces[-1], path, mismatch)
        except UserError as error:
            self.problems.add(error)
            return FAILED
        if choice is None:
            return None
        self.origins[f"{path}.type"] = choice.origin
        config = self.section(choice.spec.config, choice.pieces, path)
        return (
            FAILED if config is FAILED else Chosen(each.option.plugin, choice.spec.name, choice.spec, config, instance)
        )

    def _is_fixed(self, path: str, pieces: list[Piece]) -> bool:
        for piece in pieces:
            node = piece.value.get("type") if isinstance(piece.value, Mapping) else piece.value
            word = Piece(piece.origin, node)
            if word.text not in (None, self.fixed[path]):
                self.problems.usage(
                    f"{word.exact.where(path)}: the {path} is always {self.fixed[path]!r} here",
                    "",
                    f"`lr rollout` takes --{path} {word.text}",
                )
                return False
        return True

    def _plugins(self, each: Declared, pieces: list[Piece], path: str) -> Any:
        by_instance: dict[str, list[Piece]] = {}
        for piece in self._unfolded(pieces, path):
            for instance, value in self._instances(piece, path):
                if instance:
                    by_instance.setdefault(instance, []).append(Piece(piece.origin, value))
                else:
                    by_instance.clear()
        found = {name: self._plugin(each, some, f"{path}.{name}", name) for name, some in by_instance.items()}
        if any(value is FAILED for value in found.values()):
            return FAILED
        return {name: chosen for name, chosen in found.items() if chosen is not None}

    def _instances(self, piece: Piece, path: str) -> list[tuple[str, Any]]:
        """What a layer says about a plural section, by instance; the instance "" forgets all layers below."""
        value = piece.value
        if isinstance(value, Mapping):
            found: list[tuple[str, Any]] = []
            for key, each in value.items():
                found += [(str(key), each)] if key else self._instances(Piece(piece.origin, each), path)
            return found
        if value is None or piece.text == "none":
            return [("", None)]
        if piece.text:
            return [(piece.text, value)]
        self.problems.usage(f"{piece.exact.where(path)} needs a name", "", f"--{path} NAME")
        return []


def _join(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


def _shown(value: Any) -> str:
    return repr(value.text if isinstance(value, Typed) else value)


def _typed_inside(value: Any) -> bool:
    return isinstance(value, Typed) or (isinstance(value, Mapping) and any(map(_typed_inside, value.values())))


def _wanted(each: Declared) -> str:
    limits = span(each.option)
    wanted = ", ".join(each.option.choices) or describe(each.hint)
    return f"it takes {wanted}{f', {limits}' if limits else f' in {each.option.unit}' if each.option.unit else ''}"
