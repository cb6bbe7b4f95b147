"""Distributions made on the spot: a module and a metadata folder on `sys.path`, as pip would leave them."""

from __future__ import annotations

import importlib
import sys
import textwrap
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from lerobot_core.registry import Registry

Install = Callable[..., Path]

ROBOT = """
from dataclasses import dataclass
from lerobot_core.hookspecs import hookimpl
from lerobot_core.specs import Overlay, RobotSpec, TeleoperatorSpec, PolicySpec


@dataclass(frozen=True, kw_only=True)
class Config:
    port: str = "none"


def build(config, parts):
    return ("built", config.port)


def robot(name, **more):
    return RobotSpec(name=name, summary=f"the robot {name}", config=Config, build=build, **more)
"""


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder on `sys.path`; what was imported from it is forgotten afterwards."""
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    yield folder
    for name, module in list(sys.modules.items()):
        if str(getattr(module, "__file__", None) or "").startswith(str(tmp_path)):
            del sys.modules[name]


@pytest.fixture
def install(site: Path) -> Install:
    """`install("lerobot-robot-x", {"robot": {"x": "x_pkg.plugin"}}, code, requires=…)` -> its metadata folder.

    The code becomes every module that the entries name, after imports and a helper `robot(name)`.
    """

    def make(
        name: str,
        entries: Mapping[str, Mapping[str, str]],
        code: str = "",
        *,
        version: str = "0.1.0",
        requires: tuple[str, ...] = ("lerobot-core>=0.1,<0.2",),
        folder: Path = site,
    ) -> Path:
        for module in {value.partition(":")[0] for group in entries.values() for value in group.values() if code}:
            _write_module(folder, module, ROBOT + textwrap.dedent(code))
        metadata = folder / f"{name.replace('-', '_')}-{version}.dist-info"
        metadata.mkdir()
        lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}", f"Summary: what {name} does"]
        lines += [f"Requires-Dist: {line}" for line in requires]
        (metadata / "METADATA").write_text("\n".join([*lines, "", "Requires-Dist: not-a-header"]))
        groups = [
            [f"[lerobot.{kind}]", *(f"{key} = {value}" for key, value in g.items())] for kind, g in entries.items()
        ]
        (metadata / "entry_points.txt").write_text("\n".join(line for group in groups for line in group))
        importlib.invalidate_caches()
        return metadata

    return make


@pytest.fixture
def registry(site: Path) -> Registry:
    """Sees the made distributions and nothing else."""
    return Registry([str(site)], {})


def _write_module(folder: Path, module: str, code: str) -> None:
    path = folder.joinpath(*module.split(".")).with_suffix(".py")
    path.parent.mkdir(parents=True, exist_ok=True)
    for package in path.relative_to(folder).parents:
        if package.name:
            (folder / package / "__init__.py").touch()
    path.write_text(code)
