"""The distributions of this tree: found by their pyproject.toml, with who stands on whom."""

from __future__ import annotations

import re
import tomllib
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[1]


class Distribution:
    """One folder with a pyproject.toml.

    Attributes:
        folder: where it is.
        name: as in its pyproject.toml.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with (folder / "pyproject.toml").open("rb") as file:
            self._toml: dict[str, Any] = tomllib.load(file)
        self.name = normalise(self._toml["project"]["name"])

    @property
    def alone(self) -> bool:
        """`[tool.lerobot] alone = true`: its requirements do not fit beside everybody else's."""
        return bool(self._toml.get("tool", {}).get("lerobot", {}).get("alone", False))

    @property
    def requirements(self) -> list[str]:
        """What it requires, as written."""
        found: list[str] = self._toml["project"].get("dependencies", [])
        return found

    @cached_property
    def needs(self) -> frozenset[str]:
        """Names of what it requires, ours and others'."""
        return frozenset(map(name_of, self.requirements))

    @property
    def entry_points(self) -> list[tuple[str, str, str]]:
        """(group, name, value) of each."""
        groups: dict[str, dict[str, str]] = self._toml["project"].get("entry-points", {})
        return [(group, name, value) for group, entries in groups.items() for name, value in entries.items()]

    @cached_property
    def test_needs(self) -> frozenset[str]:
        """Names of what its tests require besides."""
        return frozenset(map(name_of, self._extras.get("test", [])))

    @property
    def with_tests(self) -> str:
        """What to tell an installer: its folder, and its extra for tests where it has one."""
        return f"{self.folder}[test]" if "test" in self._extras else str(self.folder)

    @property
    def tests(self) -> Path:
        """Where its tests are."""
        return self.folder / "tests"

    @property
    def source(self) -> Path:
        """Its one import package."""
        return self.folder / "src" / self.name.replace("-", "_")

    @property
    def _extras(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = self._toml["project"].get("optional-dependencies", {})
        return found


class Closure(NamedTuple):
    """What must be installed together, from local folders, in one command.

    Attributes:
        ours: the first-party distributions.
        torch: whether any of them requires torch.
    """

    ours: tuple[Distribution, ...]
    torch: bool


def discover(root: Path = ROOT) -> dict[str, Distribution]:
    """Every distribution by name; core first, then by folder."""
    patterns = ("core", "plugins/*", "lerobot_*")
    folders = [
        folder for pattern in patterns for folder in sorted(root.glob(pattern)) if (folder / "pyproject.toml").is_file()
    ]
    found = [Distribution(folder) for folder in folders]
    return {distribution.name: distribution for distribution in found}


def closure(name: str, known: dict[str, Distribution]) -> Closure:
    """The distribution `name` and everything of ours that it and its tests stand on."""
    todo, seen = [name, *known[name].test_needs], dict[str, Distribution]()
    others: set[str] = set()
    while todo:
        each = todo.pop()
        if each in known and each not in seen:
            seen[each] = known[each]
            todo.extend(known[each].needs)
        elif each not in known:
            others.add(each)
    return Closure(tuple(known[each] for each in known if each in seen), "torch" in others)


def normalise(name: str) -> str:
    """PEP 503."""
    return re.sub(r"[-_.]+", "-", name).lower()


def name_of(requirement: str) -> str:
    """The normalised name that a requirement begins with."""
    found = re.match(r"[A-Za-z0-9._-]+", requirement.strip())
    return normalise(found.group()) if found else ""
