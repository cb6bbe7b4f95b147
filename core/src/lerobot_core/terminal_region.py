"""Live parts of the screen: regions of lines, and bars."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from .terminal_text import bar, duration

if TYPE_CHECKING:
    from .terminal import Terminal

PLAIN_EVERY_S = 5.0
REDRAW_S = 0.1


class Region:
    """Some lines at the bottom of the screen, replaced by every `update`.

    Attributes:
        name: whose it is.
        lines: what it shows now.
    """

    def __init__(self, terminal: Terminal, name: str, plain_every: float | None = None) -> None:
        self._terminal = terminal
        self.name = name
        self.lines: tuple[str, ...] = ()
        self._plain_every = plain_every
        self._printed = -float("inf") if plain_every is None else time.monotonic()

    def update(self, lines: Sequence[str]) -> None:
        """Show these lines from now on; from any thread, never blocking."""
        self.lines = tuple(lines)
        if self._terminal.live:
            self._terminal.refresh()
        elif self._plain_every is not None and time.monotonic() - self._printed >= self._plain_every:
            self._printed = time.monotonic()
            self._print()

    def close(self, keep: bool = False) -> None:
        """Gone; with `keep` its last lines stay as ordinary ones. Idempotent."""
        if keep:
            self._print()
        self.lines = ()
        self._terminal.remove(self)

    def _print(self) -> None:
        for line in self.lines:
            self._terminal.say(line)

    def __enter__(self) -> Region:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


class Progress:
    """How far long work is: `label ━━━━━──── 52%  520/1000 MB  1:02 left`; piped, a line every few seconds and at the end.

    Attributes:
        done: steps so far.
    """

    def __init__(self, terminal: Terminal, total: int | None, label: str, unit: str, unicode: bool) -> None:
        self._terminal, self._total, self._label, self._unit, self._unicode = terminal, total, label, unit, unicode
        self._region = terminal.view(f"progress {label}", PLAIN_EVERY_S)
        self._began = time.monotonic()
        self._shown = -REDRAW_S
        self._open = True
        self.done = 0

    def advance(self, steps: int = 1) -> None:
        """So many steps more."""
        self.update(self.done + steps)

    def update(self, done: int) -> None:
        """`done` steps in all; cheap enough to be called for each."""
        self.done = done
        now = time.monotonic()
        if self._open and now - self._shown >= REDRAW_S:
            self._shown = now
            self._region.update([self._line(now - self._began)])

    def close(self) -> None:
        """The last line stays. Idempotent."""
        if not self._open:
            return
        self._open = False
        self._region.close()
        elapsed = duration(time.monotonic() - self._began)
        self._terminal.say(f"{self._label}: {self._count()} in {elapsed}")

    def _count(self) -> str:
        total = "" if self._total is None else f"/{self._total}"
        return f"{self.done}{total} {self._unit}".strip()

    def _line(self, elapsed: float) -> str:
        if not self._total:
            return f"{self._label}  {self._count()}  {duration(elapsed)}"
        share = min(self.done / self._total, 1.0)
        left = f"  {duration(elapsed * (1 - share) / share)} left" if 0 < share < 1 else ""
        if not self._terminal.live:
            return f"{self._label}: {share:.0%}, {self._count()}{left}"
        room = self._terminal.size[0] - len(self._label) - len(self._count()) - len(left) - 12
        return f"{self._label} {bar(share, max(min(room, 40), 5), self._unicode)} {share:4.0%}  {self._count()}{left}"

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()
