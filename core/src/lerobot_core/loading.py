"""One plugin at a time: gate, import, register, ask; whatever goes wrong is told as that plugin's."""

from __future__ import annotations

import dataclasses
import importlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from . import specs
from .errors import PluginError, UserError
from .gate import check_version
from .kinds import KINDS
from .specs import Overlay, Spec

if TYPE_CHECKING:
    from types import ModuleType

    from .hooks import Hooks
    from .metadata import Entry

_SPECS = {cls.kind: cls for cls in vars(specs).values() if isinstance(cls, type) and issubclass(cls, Spec) and cls.kind}


def import_plugin(entry: Entry, hooks: Hooks) -> ModuleType:
    """The entry's module, gated, imported and registered; PluginError otherwise."""
    check_version(entry)
    module = _import(entry, entry.value)
    try:
        hooks.add(module)
    except PluginError as error:
        raise failure(entry, "is not a valid plugin", error.what, error) from error
    return module


def import_command(entry: Entry) -> Any:
    """The Typer app that a `lerobot.command` entry names as `module:app`; PluginError otherwise."""
    check_version(entry)
    path, _, attribute = entry.value.partition(":")
    module = _import(entry, path)
    if not hasattr(module, attribute or "app"):
        raise failure(entry, "cannot be loaded", f"module {path} has no {attribute or 'app'}")
    return getattr(module, attribute or "app")


def ask(entry: Entry, module: ModuleType, hooks: Hooks, hook: str, **kwargs: Any) -> list[Any]:
    """What that module alone answers to a hook; a UserError of its own passes, all else becomes a PluginError."""
    try:
        return hooks.ask(module, hook, **kwargs)
    except UserError:
        raise
    except (Exception, SystemExit) as error:
        raise failure(entry, "cannot be loaded", f"its hook {hook} raised {_words(error)}", error) from error


def catalogue(entry: Entry, module: ModuleType, hooks: Hooks) -> Spec:
    """The spec of that name out of the module's catalogue hook; PluginError when it is not there or not valid."""
    kind = KINDS[entry.kind]
    offered: list[Spec] = [spec for answer in ask(entry, module, hooks, kind.hook) for spec in _as_list(answer)]
    for spec in offered:
        wrong = _wrong(entry.kind, spec)
        if wrong:
            raise failure(entry, "is not a valid plugin", f"{kind.hook} of {entry.value} {wrong}")
    found = [spec for spec in offered if entry.name in (spec.name, *spec.aliases)]
    if len(found) != 1:
        names = ", ".join(spec.name for spec in offered) or "nothing"
        raise failure(entry, "is not a valid plugin", f"{kind.hook} of {entry.value} offers {names}")
    return found[0]


def resolved(entry: Entry, module: ModuleType, hooks: Hooks, kind: str, ref: str) -> Any:
    """The module's own answer for `ref`: a spec of that kind, an overlay or options; None when it has none."""
    answer = next(iter(ask(entry, module, hooks, "resolve", kind=kind, ref=ref)), None)
    if answer is None or isinstance(answer, (Overlay, Mapping)):
        return answer
    wrong = _wrong(kind, answer)
    if wrong:
        raise failure(entry, "is not a valid plugin", f"resolve({kind!r}, {ref!r}) of {entry.value} {wrong}")
    return answer


def failure(entry: Entry, what: str, why: str, cause: BaseException | None = None) -> PluginError:
    """An error that says which plugin, which distribution and version, and what to type."""
    show = f"lr plugins check {entry.kind} {entry.name}" if cause else ""
    return PluginError(
        f"{entry.kind} {entry.name!r} ({entry.label}) {what}: {why}",
        f"with its traceback: {show}" if show else f"it is the module {entry.value}",
        f"to mend it: pip install -U {entry.distribution}, or pip uninstall {entry.distribution}",
    )


def _import(entry: Entry, path: str) -> ModuleType:
    try:
        return importlib.import_module(path)
    except (Exception, SystemExit) as error:  # sys.exit at import must not end our process; Ctrl-C may
        raise failure(entry, "cannot be loaded", _words(error), error) from error


def _as_list(answer: Any) -> list[Any]:
    return list(answer) if isinstance(answer, (list, tuple)) else [answer]


def _wrong(kind: str, spec: Any) -> str:
    wanted = _SPECS[kind]
    if not isinstance(spec, wanted):
        return f"offers {type(spec).__name__}, not {wanted.__name__}"
    if not (isinstance(spec.config, type) and dataclasses.is_dataclass(spec.config)):
        return f"offers {spec.name!r} with a config that is no dataclass"
    return "" if callable(spec.build) else f"offers {spec.name!r} with a build that cannot be called"


def _words(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}".strip().removesuffix(":")
