"""An operator who follows a list."""

from __future__ import annotations

from ..clock import Clock
from ..types import Event
from .config import FakeOperatorConfig


class FakeOperator:
    """Hands over each event once its time has come, counted from `start`; tests may `push` more."""

    def __init__(self, config: FakeOperatorConfig, clock: Clock) -> None:
        self._clock = clock
        self._due = sorted(config.events)
        self._pushed: list[Event] = []
        self._start: float | None = None

    def start(self) -> None:
        """The list's zero is now."""
        self._start = self._clock.now()

    def first_action(self, t: float) -> None:
        """Nothing changes: times count from `start`."""

    def rebind(self, keys: dict[str, str]) -> None:
        """There are no keys to change."""

    def push(self, name: str, payload: str = "") -> None:
        """Make `name` happen now."""
        self._pushed.append(Event(name, self._clock.now(), payload))

    def poll(self) -> list[Event]:
        """What has come due."""
        if self._start is None:
            return []
        now = self._clock.now()
        events, self._pushed = self._pushed, []
        while self._due and self._start + self._due[0][0] <= now:
            after, name = self._due.pop(0)
            events.append(Event(name, self._start + after))
        return sorted(events, key=lambda event: event.t)

    def bindings(self) -> dict[str, str]:
        """No keys."""
        return {}

    def stop(self) -> None:
        """Nothing comes after this."""
        self._start = None
