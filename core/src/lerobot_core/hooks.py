"""The hooks of everything named so far: pluggy, with each module registered once and asked alone or one by one."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator, Mapping
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pluggy

from . import hookspecs, trace
from .errors import PluginError, did_you_mean

if TYPE_CHECKING:
    from .specs import Parts, Spec

log = logging.getLogger("lerobot.plugins")


class _CoreHooks:
    """What core itself answers: it builds a part; plugins may only wrap that."""

    @staticmethod
    @hookspecs.hookimpl
    def build(spec: Spec, config: Any, parts: Parts) -> Any:
        return spec.build(config, parts)


class Hooks:
    """A plugin manager that knows core's hookspecs.

    Args:
        environ: read for `LEROBOT_TRACE`.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._manager = pluggy.PluginManager(hookspecs.PROJECT)
        self._manager.add_hookspecs(hookspecs)
        self._manager.register(_CoreHooks, name="lerobot_core")
        if trace.wanted(environ):
            trace.install(self._manager)

    @property
    def relay(self) -> pluggy.HookRelay:
        """`relay.step(step=…)` calls every registered module."""
        return self._manager.hook

    def add(self, module: ModuleType) -> None:
        """Registers a module once, under its path; PluginError when one of its hooks is not core's."""
        if self._manager.has_plugin(module.__name__):
            return
        try:
            self._manager.register(module, name=module.__name__)
            self._manager.check_pending()
            self._refuse_builders(module)
        except pluggy.PluginValidationError as error:
            if self._manager.has_plugin(module.__name__):
                self._manager.unregister(module)
            raise PluginError(_explain(error)) from error

    def ask(self, module: ModuleType, hook: str, **kwargs: Any) -> list[Any]:
        """What that module alone answers: its results, None left out, [] when it does not implement the hook."""
        found = self._only(module, hook)(**kwargs)
        if found is None:
            return []
        return found if isinstance(found, list) and not self._first_only(hook) else [found]

    def each(self, hook: str, labels: Mapping[str, str], **kwargs: Any) -> Iterator[tuple[str, list[Any]]]:
        """(module path, its answers), one after the other; what one raises becomes a log line with its label."""
        for path, module in self._manager.list_name_plugin():
            if path not in labels or not isinstance(module, ModuleType):
                continue
            try:
                answers = self.ask(module, hook, **kwargs)
            except (Exception, SystemExit) as error:
                log.warning("%s: its hook %s raised %s: %s", labels[path], hook, type(error).__name__, error)
            else:
                yield path, answers

    def _only(self, module: ModuleType, hook: str) -> Callable[..., Any]:
        others = [other for other in self._manager.get_plugins() if other is not module]
        return self._manager.subset_hook_caller(hook, remove_plugins=others)

    def _first_only(self, hook: str) -> bool:
        spec = getattr(self._manager.hook, hook).spec
        return bool(spec and spec.opts.get("firstresult"))

    def _refuse_builders(self, module: ModuleType) -> None:
        """`build` may be wrapped; a second answer to it would silently replace what the other plugin builds."""
        for impl in self._manager.hook.build.get_hookimpls():
            if impl.plugin is module and not impl.wrapper:
                raise pluggy.PluginValidationError(
                    module, "its hook 'build' is not a wrapper (@hookimpl(wrapper=True))"
                )


def _explain(error: pluggy.PluginValidationError) -> str:
    unknown = re.match(r"unknown hook '(\w+)'", str(error))
    if unknown is None:
        return " ".join(str(error).split())
    known = [name for name, value in vars(hookspecs).items() if hasattr(value, f"{hookspecs.PROJECT}_spec")]
    return f"core has no hook {unknown[1]!r} {did_you_mean(unknown[1], known)}".rstrip()
