"""From an argument vector to a checked configuration: files, presets, environment and command line, in that order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from ..errors import UsageError, UserError
from .choose import Names, installed_line, named, preset, views
from .convert import Mismatch
from .decode import FAILED, Decoder
from .files import config_layer, environment_layer, rig_layer
from .origin import DEFAULT, Layer, Origin, Origins, Piece, Typed
from .peer import rewrite
from .run import VERBS, RunConfig
from .scan import Given, last, scan
from .scan import layer as command_line
from .schema import Declared
from .verb import Verb

if TYPE_CHECKING:
    from ..specs import Overlay
    from .catalogue import Catalogue

C = TypeVar("C")


@dataclass(frozen=True)
class Resolved(Generic[C]):
    """A verb's configuration, and how it came about.

    Attributes:
        verb: the verb.
        config: an instance of the verb's configuration class; plugin sections hold `Chosen`.
        origins: where each value came from, by dotted key path.
        overlays: the presets that were applied.
        notes: lines to print on stderr (an option that is accepted but has no effect).
    """

    verb: Verb
    config: C
    origins: Origins
    overlays: tuple[Overlay, ...] = ()
    notes: tuple[str, ...] = ()


def resolve(verb: Verb, argv: Sequence[str], registry: Catalogue, environ: Mapping[str, str]) -> Resolved[Any]:
    """Decode `verb.config` from all layers; every problem that can be found is in one error.

    Args:
        verb: what is on offer.
        argv: what follows the verb on the command line.
        registry: what names stand for; only plugins that are named get imported.
        environ: `os.environ`, or less in a test.

    Raises:
        UsageError: the command line holds something that is not declared.
        ConfigError: a value in a file, a variable or an option is wrong.
        PluginError: a named plugin cannot be had.
    """
    table = verb.table()
    given, notes = rewrite(scan(argv), table)
    names = Names(registry)
    decoder = Decoder(names, verb.fixed, dashes="--")
    layers, overlays = with_presets(_layers(verb, given, environ), table, names, verb.fixed)
    pieces = [Piece(each.origin, each.data) for each in layers]
    config = decoder.section(verb.config, pieces, "", only=tuple(table))
    if config is not FAILED:
        _check_needs(verb, config, decoder)
    decoder.finish()
    return Resolved(verb, config, decoder.origins, overlays, notes)


def resolve_run(verb: str, argv: Sequence[str], registry: Catalogue, environ: Mapping[str, str]) -> Resolved[RunConfig]:
    """`resolve` for one of core's own verbs (`VERBS`)."""
    return resolve(VERBS[verb], argv, registry, environ)


def with_presets(
    layers: Sequence[Layer], table: Mapping[str, Declared], names: Names, fixed: Mapping[str, str]
) -> tuple[list[Layer], tuple[Overlay, ...]]:
    """Put a layer under the files for each preset that a section names; a preset may name another in another section.

    What cannot be resolved here is left to decoding, which reports it with everything else.
    """
    found: dict[str, Overlay] = {}
    for _ in range(_PRESET_ROUNDS):
        stacked = _stack(layers, found.values())
        new = {overlay.name: overlay for overlay in _presets(stacked, table, names, fixed) if overlay.name not in found}
        if not new:
            break
        found = new | found  # what a preset names lies under what it says itself
    return _stack(layers, found.values()), tuple(found.values())


_PRESET_ROUNDS = 4
"""A preset naming a preset naming a preset is as deep as anybody will go; a circle ends here as well."""


def _stack(layers: Sequence[Layer], overlays: Iterable[Overlay]) -> list[Layer]:
    defaults = [each for each in layers if each.origin.source == "default"]
    presets = [Layer(Origin("plugin", each.name), each.sections) for each in overlays]
    return [*defaults, *presets, *(each for each in layers if each.origin.source != "default")]


def _presets(
    layers: Sequence[Layer], table: Mapping[str, Declared], names: Names, fixed: Mapping[str, str]
) -> Iterator[Overlay]:
    for name, each in table.items():
        if each.shape != "plugin" or name in fixed:
            continue
        pieces = [Piece(layer.origin, layer.data[name]) for layer in layers if name in layer.data]
        try:
            winner = named(each.option.plugin, views(pieces, bool(each.option.fallback)))
            if winner and winner.text and (overlay := preset(names.resolve(each.option.plugin, winner.text))):
                yield overlay
        except (Mismatch, UserError):
            continue


def _layers(verb: Verb, given: list[Given], environ: Mapping[str, str]) -> list[Layer]:
    """Lowest first; the presets come in between once names are known."""
    table = verb.table()
    layers = [Layer(DEFAULT, {**verb.defaults, **verb.fixed})]
    environment = environment_layer(environ, table)
    if "rig" in table and verb.reads_rig:
        path = last(given, "rig")
        rig = _file(path) if path else environ.get("LEROBOT_RIG", "")
        if rig and not path:
            environment = Layer(environment.origin, {**environment.data, "rig": Typed(rig, "LEROBOT_RIG")})
        layers += [rig_layer(Path(rig).expanduser(), table)] if rig else []
    for name in {"config", "config_path"} if "config" in table else ():
        if path := last(given, name):
            layers.append(config_layer(Path(_file(path)).expanduser()))
    return [*layers, environment, command_line(given, table)]


def _file(given: Given) -> str:
    if not given.text:
        raise UsageError(f"{given.spelled} needs a file", "", f"{given.spelled} FILE")
    return given.text


def _check_needs(verb: Verb, config: Any, decoder: Decoder) -> None:
    for name in verb.needs:
        if not getattr(config, name):
            kind = verb.table()[name].option.plugin
            typed = f"--{name.replace('_', '-')}"
            fix = f"add {typed} NAME; {installed_line(decoder.names, kind)}" if kind else f"add {typed} FOLDER"
            article = "an" if name[0] in "aeiou" else "a"
            decoder.problems.usage(f"`lr {verb.name}` needs {article} {name.replace('_', ' ')}", "", fix)
