"""An installed plugin named `every` that implements every hook and notes each call."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from lerobot_core.config.resolve import resolve_run
from lerobot_core.kinds import KINDS
from lerobot_core.registry import Registry
from lerobot_core.run.plan import Plan
from lerobot_core.run.session import Session
from lerobot_core.virtual_clock import VirtualClock

KINDS_OFFERED = [kind.name for kind in KINDS.values() if kind.hook]


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Registry]:
    """Sees core and the plugin `every`."""
    package = tmp_path / "every_hook"
    package.mkdir()
    (package / "__init__.py").write_text('"""Every hook."""\n')
    (package / "plugin.py").write_text((Path(__file__).with_name("every_hook_plugin.py")).read_text())
    metadata = tmp_path / "lerobot_every-0.1.0.dist-info"
    metadata.mkdir()
    header = "Metadata-Version: 2.1\nName: lerobot-every\nVersion: 0.1.0\nRequires-Dist: lerobot-core>=0.1,<0.2\n"
    (metadata / "METADATA").write_text(header)
    groups = [f"[lerobot.{kind}]\nevery = every_hook.plugin\n" for kind in [*KINDS_OFFERED, "scheme"]]
    (metadata / "entry_points.txt").write_text("\n".join(groups))
    monkeypatch.syspath_prepend(str(tmp_path))
    importlib.invalidate_caches()
    yield Registry(environ={})
    for name in ("every_hook", "every_hook.plugin"):
        sys.modules.pop(name, None)


@pytest.fixture
def every(registry: Registry) -> ModuleType:
    """The plugin's module, named; `every.CALLS` lists (hook, arguments)."""
    return registry.load(registry.find("robot", "every"))


Run = Callable[..., dict[str, Any]]


@pytest.fixture
def run(registry: Registry, every: ModuleType) -> Run:
    """`run("rollout", "--policy", "fake")`: a whole run with robot `every` on the virtual clock; its summary."""

    def go(verb: str, *argv: str) -> dict[str, Any]:
        arguments = ["--robot", "every", "--duration", "0.5", *argv]
        resolved = resolve_run(verb, arguments, registry, {})
        session = Session(Plan(verb, resolved.config, resolved.origins, registry), VirtualClock())
        return session.run()

    return go


@pytest.fixture
def calls(every: ModuleType) -> Callable[[str], list[Any]]:
    """`calls("check")`: the arguments of every call of that hook so far."""

    def of(hook: str) -> list[Any]:
        return [arguments for name, arguments in every.CALLS if name == hook]

    return of
