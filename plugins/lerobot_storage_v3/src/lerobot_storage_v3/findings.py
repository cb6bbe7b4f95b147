"""Problems as they are found, and the words they are told in."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from lerobot_core.errors import StorageError
from lerobot_core.types import Problem

Watch = Callable[[str, int, int], None]
"""`watch(what, done, total)`: long work says how far it is."""


def silent(what: str, done: int, total: int) -> None:
    """Nobody is watching."""


def ranges(numbers: Iterable[int]) -> str:
    """`[3, 7, 8, 9]` -> `"3,7-9"`, as `--episodes` takes it."""
    parts: list[list[int]] = []
    for number in sorted(set(numbers)):
        if parts and number == parts[-1][1] + 1:
            parts[-1][1] = number
        else:
            parts.append([number, number])
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in parts)


class Findings:
    """What is wrong with one dataset."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.problems: list[Problem] = []

    @property
    def repair(self) -> str:
        """The command that mends what a crash leaves."""
        return f"lr dataset repair {self.root}"

    def without(self, episodes: Iterable[int]) -> str:
        """The command that leaves episodes out."""
        return f"lr dataset delete {self.root} --episodes {ranges(episodes)}"

    def error(self, where: str, text: str, fix: str = "") -> None:
        """A reader or a training run would fail, or learn from wrong data."""
        self.problems.append(Problem("error", where, text, fix))

    def warning(self, where: str, text: str, fix: str = "") -> None:
        """Worth a look."""
        self.problems.append(Problem("warning", where, text, fix))

    def failure(self, where: str, error: StorageError) -> None:
        """An error met on the way, as a problem."""
        self.error(where, f"{error.what}: {error.why}" if error.why else error.what, error.fix)
