"""`scripted`: events at fixed times after the first action, for tests and demonstrations."""

from __future__ import annotations

from ..clock import Clock
from ..contracts.operator import EVENTS
from ..errors import UsageError, did_you_mean
from ..types import Event


def parse(script: str) -> list[tuple[float, str, str]]:
    """`"2.0 takeover; 9.0 task pick it"` -> [(2.0, "takeover", ""), (9.0, "task", "pick it")], by time.

    Raises:
        UsageError: a time that is no number, or an event nobody knows.
    """
    entries = []
    for part in filter(None, (p.strip() for p in script.split(";"))):
        words = part.split(None, 2)
        name = words[1] if len(words) > 1 else ""
        if name not in EVENTS:
            fix = did_you_mean(name, EVENTS) or f"events are {', '.join(EVENTS)}"
            raise UsageError(
                f"the script says {part!r}, which names no event", "each entry is SECONDS EVENT [TEXT]", fix
            )
        try:
            at = float(words[0])
        except ValueError:
            raise UsageError(f"the script says {part!r}, where {words[0]!r} is no number of seconds") from None
        entries.append((at, name, words[2] if len(words) > 2 else ""))
    return sorted(entries, key=lambda entry: entry[0])


class ScriptedOperator:
    """Gives each event once its time has come."""

    def __init__(self, script: str, clock: Clock) -> None:
        self._left = parse(script)
        self._clock = clock
        self._zero: float | None = None

    def start(self) -> None:
        """Nothing to open."""

    def first_action(self, t: float) -> None:
        """The zero of the script's times; in an interactive session that is its beginning, before any action."""
        self._zero = t if self._zero is None else self._zero

    def poll(self) -> list[Event]:
        """The events that are due."""
        if self._zero is None:
            return []
        now = self._clock.now() - self._zero
        due = [entry for entry in self._left if entry[0] <= now + 1e-9]
        self._left = self._left[len(due) :]
        return [Event(name, self._zero + at, text) for at, name, text in due]

    def bindings(self) -> dict[str, str]:
        """No keys."""
        return {}

    def rebind(self, keys: dict[str, str]) -> None:
        """No keys to change."""

    def stop(self) -> None:
        """Nothing to close."""
