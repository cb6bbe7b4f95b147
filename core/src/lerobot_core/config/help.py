"""Help for a verb whose options depend on what is installed: plain text, importing only plugins that are named."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import NoneType
from typing import TYPE_CHECKING, Any

from ..errors import UserError
from .bases import CameraConfig, DatasetConfig, DeviceConfig, PolicyConfig, RobotConfig
from .choose import Names, look_up, named, views
from .convert import Mismatch, span
from .origin import Origin, Piece
from .peer import rewrite
from .scan import Given, layer, scan
from .schema import REQUIRED, Declared, declared, describe, members, section_class
from .verb import Verb

if TYPE_CHECKING:
    from .catalogue import Catalogue

COMMON: dict[str, type[Any]] = {
    "robot": RobotConfig,
    "teleoperator": DeviceConfig,
    "camera": CameraConfig,
    "policy": PolicyConfig,
    "storage": DatasetConfig,
}
"""What every plugin of a kind takes, shown while none is named."""

_COLUMN, _WIDTH = 30, 110
_TYPED = Origin("command line")


def render(verb: Verb | str, argv: Sequence[str], registry: Catalogue) -> str:
    """The help text.

    Args:
        verb: what is on offer, or the name of one of core's own verbs.
        argv: what follows the verb; plugins named in it show their own options.
        registry: names come from metadata; a plugin that cannot be imported shows why instead of its options.
    """
    if isinstance(verb, str):
        from .run import VERBS

        verb = VERBS[verb]
    table, names = verb.table(), Names(registry)
    chosen = layer(_given(argv, table), table).data
    flags = [each for each in table.values() if each.shape == "leaf"]
    sections = [each for each in table.values() if each.shape != "leaf"]
    lines = [f"usage: lr {verb.name} [--OPTION VALUE | --OPTION=VALUE]...", "", f"  {verb.summary}"]
    for each in sections:
        lines += ["", *_section(each, verb, names, chosen.get(each.name))]
    lines += [
        "",
        "options",
        *(_option(each, "") for each in flags),
        _line("--help", "this text, with the options of plugins named"),
    ]
    return "\n".join([*lines, "", _example(sections)])


def _given(argv: Sequence[str], table: Mapping[str, Declared]) -> list[Given]:
    """What can be understood of the command line; help must not fail on the rest of it."""
    try:
        return rewrite(scan([word for word in argv if word not in ("--help", "-h")]), table)[0]
    except UserError:
        return []


def _section(each: Declared, verb: Verb, names: Names, node: Any) -> Iterator[str]:
    kind, spelled = each.option.plugin, f"--{_dashed(each.name)}"
    if not kind:
        yield f"{_dashed(each.name)}: {each.option.help}"
        yield from _fields(section_class(each.hint), spelled)
        return
    many = each.shape == "plugins"
    yield f"{_dashed(each.name)}: {each.option.help}"
    yield _line(f"{spelled}{'.NAME' if many else ''} {_metavar(each)}", _offer(each, verb, names))
    prefix = f"{spelled}.NAME" if many else spelled
    picked = list(_picked(each, node, verb))
    for instance, ref in picked:
        own = f"{spelled}.{instance}" if instance else spelled
        yield from _plugin(names, kind, f"{each.name}.{instance}" if instance else each.name, ref, own)
    if not picked and kind in COMMON:
        yield from _fields(COMMON[kind], prefix)


def _offer(each: Declared, verb: Verb, names: Names) -> str:
    kind = each.option.plugin
    if each.name in verb.fixed:
        return f"always {verb.fixed[each.name]}"
    known = ", ".join(names.installed(kind)) or "none is installed"
    default = each.option.fallback or verb.defaults.get(each.name, "")
    return known + (f" [default: {default}]" if default else "")


def _metavar(each: Declared) -> str:
    return "PATH | --" + _dashed(each.name) + ".type TYPE" if each.option.fallback else "TYPE"


def _picked(each: Declared, node: Any, verb: Verb) -> Iterator[tuple[str, str]]:
    """(instance, plugin) as typed; the sections that the command line does not mention are not imported."""
    if node is None:
        return
    nodes = dict(node) if each.shape == "plugins" and isinstance(node, Mapping) else {"": node}
    for instance, inner in nodes.items():
        try:
            found = views([Piece(_TYPED, inner)], bool(each.option.fallback))
        except Mismatch:
            continue
        ref = named(each.option.plugin, found, each.option.fallback, instance)
        word = verb.fixed.get(each.name) or (ref.text if ref else None)
        if word:
            yield instance, word


def _plugin(names: Names, kind: str, section: str, ref: str, prefix: str) -> Iterator[str]:
    try:
        answer = look_up(names, kind, section, ref)
        if answer.overlay:
            yield f"  {ref}: a preset that sets {', '.join(answer.overlay.sections)}"
        yield f"  {answer.spec.name}: {answer.spec.summary}"
        yield from _fields(answer.spec.config, prefix)
    except UserError as error:
        yield from (f"  {line}" for line in str(error).splitlines())


def _fields(cls: type[Any] | None, prefix: str) -> Iterator[str]:
    for each in declared(cls).values() if cls else ():
        inner = section_class(each.hint) if each.shape == "section" else None
        if inner:
            yield from _fields(inner, f"{prefix}.{_dashed(each.name)}")
        else:
            yield _option(each, f"{prefix}.")


def _option(each: Declared, prefix: str) -> str:
    off = "no-" if each.is_bool and each.default() is True else ""
    spelled = f"{prefix or '--'}{off}{_dashed(each.name)}"
    value = "" if each.is_bool else f" {_value(each)}"
    notes = [text for text in (span(each.option) or each.option.unit, _default(each)) if text]
    return _line(f"{spelled}{value}", each.option.help + (f" [{'; '.join(notes)}]" if notes else ""))


def _value(each: Declared) -> str:
    if each.option.choices:
        return "|".join(each.option.choices)
    if each.option.plugin:
        return "TYPE"
    kinds = [hint for hint in members(each.hint) if hint is not NoneType]
    words = [_METAVARS.get(describe(hint), describe(hint).removeprefix("one of ").replace(", ", "|")) for hint in kinds]
    return "|".join(words)


_METAVARS = {
    "a whole number": "INT",
    "a number": "NUMBER",
    "text": "TEXT",
    "a path": "PATH",
    "a list": "A,B,…",
    "a {key: value} mapping": "'{key: value}'",
    "true or false": "true|false",
}


def _default(each: Declared) -> str:
    default = each.default()
    if default is REQUIRED:
        return "required"
    if each.is_bool:
        return "default: on" if default else ""
    if default is None or default in ("", (), [], {}):
        return ""
    text = ",".join(map(str, default)) if isinstance(default, list | tuple) else getattr(default, "value", default)
    return f"default: {text}"


def _line(left: str, right: str) -> str:
    import textwrap

    indent = " " * (_COLUMN + 2)
    body = textwrap.wrap(right, _WIDTH - len(indent)) or [""]
    head = f"  {left:<{_COLUMN - 2}}  " if len(left) <= _COLUMN - 2 else f"  {left}\n{indent}"
    return f"{head}{body[0]}".rstrip() + "".join(f"\n{indent}{line}" for line in body[1:])


def _example(sections: Sequence[Declared]) -> str:
    plugin = next((each.name for each in sections if each.option.plugin), "")
    return f"`--{plugin} NAME --help` shows the options of that {plugin}." if plugin else ""


def _dashed(name: str) -> str:
    return name.replace("_", "-")
