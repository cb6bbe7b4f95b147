"""Which plugin a section means, and which layers still have a say about its options once it is known."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from ..errors import ConfigError, PluginError, UsageError, UserError
from .convert import Mismatch, parse
from .origin import DEFAULT, Origin, Piece, Typed
from .schema import spellings

if TYPE_CHECKING:
    from ..specs import Overlay, Spec
    from .catalogue import Catalogue

REFERENCES = {"policy": ("path", "pretrained_path"), "camera": ("index_or_path",)}
"""Options that may name the plugin: `--policy.path X` without a type is `--policy X`; a camera whose index is `sim` or
`sim:1` is the plugin `sim`, whatever its type says, and keeps the option where that plugin has one of the name."""

_SIMULATED = re.compile(r"sim(?=:|$)")


class View(NamedTuple):
    """What one layer says about one plugin section: which plugin, and options for it."""

    origin: Origin
    ref: Piece | None
    options: Mapping[str, Any]


class Answer(NamedTuple):
    """What a reference means: the plugin, options that come with it (a policy's folder), the preset it is."""

    spec: Spec
    options: Mapping[str, Any]
    overlay: Overlay | None = None


@dataclass(frozen=True)
class Choice:
    """A section's plugin.

    Attributes:
        spec: what the plugin says about itself.
        origin: who named it.
        pieces: the options of every layer that still counts, lowest first.
    """

    spec: Spec
    origin: Origin
    pieces: list[Piece]


@dataclass
class Names:
    """Resolves each name once, and remembers failures too, so that one broken plugin is one line."""

    registry: Catalogue | None
    _known: dict[tuple[str, str], Any] = field(default_factory=dict)

    def resolve(self, kind: str, ref: str) -> Spec | Overlay | Mapping[str, Any]:
        """The registry's answer for `ref`.

        Raises:
            UserError: as the registry raises.
        """
        if self.registry is None:
            raise ConfigError(f"{kind} {ref!r} cannot be looked up here", "no registry was given")
        if (kind, ref) not in self._known:
            try:
                self._known[kind, ref] = self.registry.resolve(kind, ref)
            except UserError as error:
                self._known[kind, ref] = error
        answer = self._known[kind, ref]
        if isinstance(answer, UserError):
            raise answer
        return answer  # type: ignore[no-any-return]  # kept together with errors

    def spec(self, kind: str, name: str) -> Spec:
        """The plugin of exactly that name.

        Raises:
            UserError: as the registry raises.
        """
        assert self.registry is not None, "only asked for after `resolve` answered"
        return self.registry.spec(kind, name)

    def installed(self, kind: str) -> list[str]:
        """Names of a kind, from metadata alone."""
        return sorted({each.name for each in self.registry.entries(kind)}) if self.registry else []


def views(pieces: Sequence[Piece], fallback: bool) -> list[View]:
    """Split what each layer says into name and options; `none` forgets the layers below it.

    Raises:
        Mismatch: a value is neither a name nor a section.
    """
    found: list[View] = []
    for piece in unfolded(pieces):
        if _removes(piece):
            found.clear()
        else:
            found.append(_view(piece, fallback))
    return found


def named(kind: str, found: Sequence[View], fallback: str = "", instance: str = "") -> Piece | None:
    """The name that wins: the highest layer's, else what an option refers to, else the fallback."""
    refs = [each.ref for each in found if each.ref is not None]
    spoken = [Piece(v.origin, v.options[key]) for v in found for key in REFERENCES.get(kind, ()) if key in v.options]
    if kind == "camera":
        spoken = [Piece(each.exact, "sim") for each in spoken if _SIMULATED.match(each.text or "")]
        refs = spoken or refs
    if refs or spoken:
        return (refs or spoken)[-1]
    if found and fallback:
        return Piece(DEFAULT, fallback)
    speaks = [each for each in found if each.origin.source != "environment"]
    return Piece(speaks[-1].origin, instance) if speaks and instance else None


def choose(
    names: Names, kind: str, section: str, pieces: Sequence[Piece], fallback: str = "", instance: str = ""
) -> Choice | None:
    """Find the section's plugin and import it; None where nobody names one.

    Args:
        names: the registry.
        kind: the plugin's kind.
        section: the dotted key path; presets are looked up by it.
        pieces: what each layer says, lowest first.
        fallback: the plugin when none is named.
        instance: the name of this instance; taken for the plugin's when none is named and it is installed.

    Raises:
        Mismatch: a value is neither a name nor a section.
        UserError: nobody is named although options are given, or the plugin cannot be had.
    """
    found = views(pieces, bool(fallback))
    winner = named(kind, found, fallback, instance if instance in names.installed(kind) else "")
    if winner is None:
        _refuse_nameless(names, kind, section, found)
        return None
    ref = winner.text
    if ref is None:
        raise UsageError(f"{winner.exact.where(section)} needs a name", "", installed_line(names, kind))
    return _settle(names, kind, section, found, winner, ref)


def preset(answer: Any) -> Overlay | None:
    """The answer, when it is a preset."""
    from ..specs import Overlay

    return answer if isinstance(answer, Overlay) else None


def installed_line(names: Names, kind: str) -> str:
    """`"installed: a, b"`, or that there are none."""
    known = names.installed(kind)
    return f"installed: {', '.join(known)}" if known else f"no {kind} is installed; see `lr plugins list`"


def look_up(names: Names, kind: str, section: str, ref: str) -> Answer:
    """What `ref` means in `section` (a dotted key path): the plugin, and the options or the preset that go with it.

    Raises:
        UserError: as the registry raises.
        PluginError: a preset has no plugin for the section.
    """
    answer = names.resolve(kind, ref)
    if overlay := preset(answer):
        inner = names.resolve(kind, _preset_type(overlay, section))
        if preset(inner) or isinstance(inner, Mapping):
            raise PluginError(f"preset {overlay.name!r} names another reference in {section}, not a plugin")
        return Answer(inner, {}, overlay)  # type: ignore[arg-type]  # a spec, by exclusion
    if isinstance(answer, Mapping):
        options = {key: each for key, each in answer.items() if key != "type"}
        return Answer(names.spec(kind, str(answer.get("type", ""))), options)
    return Answer(answer, {})  # type: ignore[arg-type]  # a spec, by exclusion


def _preset_type(overlay: Overlay, section: str) -> str:
    node: Any = overlay.sections
    for key in section.split("."):
        node = node.get(key, {}) if isinstance(node, Mapping) else {}
    ref = node.get("type") if isinstance(node, Mapping) else node
    if not isinstance(ref, str):
        raise PluginError(f"preset {overlay.name!r} has no {section}", f"it sets {', '.join(overlay.sections)}")
    return ref


def _removes(piece: Piece) -> bool:
    words = [piece.value.get(key, "") for key in ("type", "")] if isinstance(piece.value, Mapping) else [piece.value]
    return any(word is None or Piece(piece.origin, word).text == "none" for word in words)


def _view(piece: Piece, fallback: bool) -> View:
    value = piece.value
    if isinstance(value, Mapping):
        bare = [] if fallback or "type" in value else [""]
        ref = next((value[key] for key in ("type", *bare) if key in value), None)
        options = {key: each for key, each in value.items() if key != "type" and (key or fallback)}
        return View(piece.origin, None if ref is None else Piece(piece.origin, ref), options)
    if piece.text is None and not isinstance(value, Typed):
        raise Mismatch(f"{value!r} is neither a name nor a section")
    return View(piece.origin, None, {"": value}) if fallback else View(piece.origin, piece, {})


def unfolded(pieces: Iterable[Piece]) -> list[Piece]:
    """The pieces, with sections typed as one word (`{type: opencv, width: 640}`) opened into mappings.

    Raises:
        Mismatch: a word begins like a mapping and is none.
    """
    found: list[Piece] = []
    for piece in pieces:
        inner = piece.value.get("") if isinstance(piece.value, Mapping) else None
        bare = piece if inner is None else Piece(piece.origin, inner)
        if not (bare.text or "").lstrip().startswith("{"):
            found.append(piece)
            continue
        found.append(Piece(bare.exact, parse(bare.text or "")))
        if inner is not None:
            found.append(Piece(piece.origin, {key: each for key, each in piece.value.items() if key}))
    return found


def _refuse_nameless(names: Names, kind: str, section: str, found: Sequence[View]) -> None:
    """The environment may speak of sections that this run has not; anybody else may not."""
    for each in found:
        if each.options and each.origin.source != "environment":
            key, value = next(iter(each.options.items()))
            raise UsageError(
                f"{Piece(each.origin, value).exact.where(f'{section}.{key}')} is given, but no {section} is named",
                "",
                f"add --{section} NAME; {installed_line(names, kind)}",
            )


def _settle(names: Names, kind: str, section: str, found: list[View], winner: Piece, ref: str) -> Choice:
    answer = look_up(names, kind, section, ref)
    if answer.overlay:
        return _settle_preset(answer.spec, answer.overlay, found, winner)
    own = [Piece(Origin("plugin", ref), answer.options)] if answer.options else []
    by_name = any(each.ref is winner for each in found)
    # A name given by an option (a camera's index `sim`) stands beside the section's type: nothing is overruled.
    kept = _above(found, {ref, answer.spec.name, *answer.spec.aliases}) if by_name else found
    spent = () if by_name else _spent(kind, answer)
    pieces = [Piece(v.origin, {key: each for key, each in v.options.items() if key not in spent}) for v in kept]
    return Choice(answer.spec, winner.exact, [*own, *pieces])


def _settle_preset(spec: Spec, overlay: Overlay, found: list[View], winner: Piece) -> Choice:
    """Layers that name the preset's own plugin speak of another device: its port is not the preset's port."""
    origin = Origin("plugin", overlay.name)
    own = [Piece(each.origin, each.options) for each in found if each.origin == origin]
    kept = [each for each in _above(found, {winner.text or ""}) if each.origin != origin]
    return Choice(spec, winner.exact, [*own, *(Piece(each.origin, each.options) for each in kept)])


def _above(found: list[View], same: set[str]) -> list[View]:
    """The layers above the last one that names another plugin: its options, and those below it, were not meant."""
    for index in range(len(found) - 1, -1, -1):
        ref = found[index].ref
        if ref is not None and ref.text not in same:
            return found[index + 1 :]
    return found


def _spent(kind: str, answer: Answer) -> Sequence[str]:
    """Options that have named the plugin and are not its own: the registry's answer holds the better path."""
    known = () if answer.options else spellings(answer.spec.config)
    return [key for key in REFERENCES.get(kind, ()) if key not in known]


def nearest(word: str, known: Sequence[str]) -> str:
    """The option name most like `word`, "" when none is close."""
    import difflib

    close = difflib.get_close_matches(word.replace("-", "_"), known, n=1, cutoff=0.6)
    return close[0] if close else ""
