"""Plugins by name: listed from metadata, loaded one by one, each failure told as one plugin's.

entries    what is installed; imports nothing
spec       gate, import, register, ask its catalogue hook: that one plugin only
resolve    what a reference stands for: a spec, a preset, a policy's folder
hook       every hook, on everything named so far
"""

from __future__ import annotations

import functools
import os
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from .errors import PluginError, UsageError, did_you_mean
from .kinds import KINDS
from .known import hint, home
from .metadata import CORE, Broken, Entry, Scan, normalise, scan

if TYPE_CHECKING:
    from types import ModuleType

    import pluggy

    from .hooks import Hooks
    from .specs import Overlay, Spec

VARIABLE = "LEROBOT_PLUGINS"


class Registry:
    """The plugins that one process can see.

    Args:
        paths: where to look for metadata; default `sys.path`, read once.
        environ: default `os.environ`; `LEROBOT_PLUGINS=a,b` leaves only those distributions and core,
            `LEROBOT_TRACE=1` prints hook calls.
    """

    def __init__(self, paths: Iterable[str] | None = None, environ: Mapping[str, str] | None = None) -> None:
        self._paths = None if paths is None else tuple(paths)
        self._environ = os.environ if environ is None else environ
        self._named: dict[Entry, ModuleType] = {}

    @functools.cached_property
    def _scan(self) -> Scan:
        return scan(self._paths)

    @functools.cached_property
    def _hooks(self) -> Hooks:
        from .hooks import Hooks

        return Hooks(self._environ)

    # --- listing: metadata only ----------------------------------------------------------------------------------

    def entries(self, kind: str | None = None) -> list[Entry]:
        """Everything installed (of one kind), by kind and name; imports no plugin. UsageError for an unknown kind."""
        if kind is not None and kind not in KINDS:
            known = list(KINDS)
            raise UsageError(
                f"there is no kind of plugin {kind!r}", f"kinds: {', '.join(known)}", did_you_mean(kind, known)
            )
        order = {name: index for index, name in enumerate(KINDS)}
        found = [entry for entry in self._scan.entries if kind in (None, entry.kind) and self._visible(entry)]
        return sorted(found, key=lambda entry: (order[entry.kind], entry.name, entry.distribution))

    def broken(self) -> tuple[Broken, ...]:
        """Metadata that was skipped."""
        return self._scan.broken

    def find(self, kind: str, ref: str) -> Entry:
        """The one entry that `NAME` or `DISTRIBUTION:NAME` means; PluginError when there is none or more than one."""
        found = self._matching(kind, ref)
        if not found:
            raise self.unknown(kind, ref)
        if len(found) > 1:
            raise _collision(found)
        return found[0]

    def offers(self, kind: str, ref: str) -> bool:
        """Does anything installed answer to `NAME` or `DISTRIBUTION:NAME`."""
        return bool(self._matching(kind, ref))

    def unknown(self, kind: str, ref: str, typed: bool = True) -> PluginError:
        """The error for a name that nothing offers; a name that nobody `typed` (a file said it) is no typo."""
        name = ref.rpartition(":")[2]
        names = sorted({entry.name for entry in self.entries(kind)})
        hidden = [entry for entry in self._scan.entries if (entry.kind, entry.name) == (kind, name)]
        if hidden and name not in names:
            why, fix = f"{hidden[0].label} offers it, but {VARIABLE} leaves that out", f"unset {VARIABLE}"
        else:
            why = f"installed: {', '.join(names) or 'none'}"
            fix = (typed and did_you_mean(name, names)) or hint(kind, name)
        return PluginError(f"no {kind} named {ref!r}", why, fix)

    def _matching(self, kind: str, ref: str) -> list[Entry]:
        distribution, _, name = ref.rpartition(":")
        found = [entry for entry in self.entries(kind) if entry.name == name]
        return [
            entry
            for entry in found
            if distribution in ("", entry.distribution) or normalise(distribution) == entry.distribution
        ]

    def _visible(self, entry: Entry) -> bool:
        chosen = self._environ.get(VARIABLE)
        return chosen is None or entry.distribution in (CORE, *(normalise(name.strip()) for name in chosen.split(",")))

    # --- loading: one plugin -------------------------------------------------------------------------------------

    @property
    def hook(self) -> pluggy.HookRelay:
        """Every hook: `registry.hook.check(plan=…)` asks everything named so far."""
        return self._hooks.relay

    def named(self) -> list[Entry]:
        """Everything loaded so far, in the order it was named."""
        return list(self._named)

    def load(self, entry: Entry) -> ModuleType:
        """Imports and registers the module of one entry; PluginError naming its distribution otherwise."""
        from .loading import import_plugin

        if entry not in self._named:
            self._named[entry] = import_plugin(entry, self._hooks)
        return self._named[entry]

    def spec(self, kind: str, ref: str) -> Spec:
        """What `NAME` or `DISTRIBUTION:NAME` says about itself; imports that one plugin. PluginError otherwise."""
        from .loading import catalogue

        entry = self.find(kind, ref)
        return catalogue(entry, self.load(entry), self._hooks)

    def resolve(self, kind: str, ref: str) -> Spec | Overlay | Mapping[str, Any]:
        """What a reference stands for: the owning module's `resolve` hook first, else the spec of that name.

        A policy may also be a folder or `org/name` (see `references`): options for its section, `{type, path}`.
        """
        if kind == "policy" and not self.offers(kind, ref):
            from .references import resolve_policy

            return resolve_policy(self, ref)
        entry = self.find(kind, ref)
        found = self.ask_resolve(entry, kind, entry.name)
        return self.spec(kind, ref) if found is None else found

    def ask_resolve(self, entry: Entry, kind: str, ref: str) -> Spec | Overlay | Mapping[str, Any] | None:
        """What the `resolve` hook of that entry's module alone says; None when it does not know `ref`."""
        from .loading import resolved

        found: Spec | Overlay | Mapping[str, Any] | None = resolved(entry, self.load(entry), self._hooks, kind, ref)
        return found

    def load_scheme(self, ref: str) -> bool:
        """Loads what answers for a reference (`sim`, `sim:1`, `org/name`), so that its hooks are called.

        False when `ref` is nobody's scheme (`/dev/ttyACM0`); PluginError when it is one of ours, not installed.
        """
        from .references import HUB, scheme_of

        name = scheme_of(ref)
        if self.offers("scheme", name):
            self.load(self.find("scheme", name))
            return True
        if name != HUB and home("scheme", name):
            raise PluginError(f"nothing installed answers for {ref!r}", "", self.unknown("scheme", name).fix)
        return False

    def command(self, name: str) -> Any:
        """The Typer app of an installed verb; PluginError otherwise."""
        from .loading import import_command

        return import_command(self.find("command", name))

    def call_each(self, hook: str, **kwargs: Any) -> list[tuple[Entry, Any]]:
        """Asks every named plugin by itself; one that raises costs a log line naming it, the others' answers stay."""
        owners: dict[str, Entry] = {}
        for entry, module in self._named.items():
            owners.setdefault(module.__name__, entry)
        labels = {path: entry.label for path, entry in owners.items()}
        return [
            (owners[path], answer) for path, answers in self._hooks.each(hook, labels, **kwargs) for answer in answers
        ]


@functools.cache
def default_registry() -> Registry:
    """The one registry of this process."""
    return Registry()


def _collision(found: list[Entry]) -> PluginError:
    first = found[0]
    both = " and ".join(entry.label for entry in found)
    if len({entry.distribution for entry in found}) == 1:
        return PluginError(
            f"{first.kind} {first.name!r} is declared twice by {first.label}",
            f"as {' and as '.join(entry.value for entry in found)}",
            f"pip install --force-reinstall {first.distribution}",
        )
    return PluginError(
        f"{first.kind} {first.name!r} is offered by {both}",
        f"to use both, name one in full: {' or '.join(f'{entry.distribution}:{entry.name}' for entry in found)}",
        f"else: pip uninstall {[entry.distribution for entry in found if entry.distribution != CORE][-1]}",
    )
