"""`terminal`: the keys of the terminal that started the run; `/` opens a line for a new task."""

from __future__ import annotations

from ..clock import Clock
from ..contracts.operator import EVENTS
from ..errors import UsageError, did_you_mean
from ..specs import Parts
from ..terminal import Terminal
from ..terminal_keyboard import Listener
from ..terminal_keys import Key, Line
from ..types import Event
from .config import TerminalOperatorConfig

KEYS = {
    "space": "pause",
    "tab": "takeover",
    "s": "save",
    "p": "push",
    "right": "next",
    "left": "rerecord",
    "d": "discard",
    "c": "clutch",
    "y": "success",
    "n": "failure",
    "esc": "stop",
    "ctrl-\\": "stop_now",
    "hangup": "stop",
}
"""Key -> event, unless rebound."""
PEER_EVENTS = {"pause_resume": "pause", "correction": "takeover", "upload": "push"}
TYPED = ("start", "reset", "stop")


class TerminalOperator:
    """Events from keys, and from lines typed after `/`: `start`, `reset`, `stop`; any other line is the new task."""

    def __init__(self, config: TerminalOperatorConfig, parts: Parts) -> None:
        self._clock: Clock = parts.clock
        self._terminal: Terminal | None = parts.terminal
        self._keys = dict(KEYS)
        self._events: list[Event] = []
        self._listener: Listener | None = None
        self.rebind(config.keys or {})

    def rebind(self, keys: dict[str, str]) -> None:
        """{event: key}; the event's old key is free again. The peer's event names are accepted.

        Raises:
            UsageError: there is no such event.
        """
        for name, key in keys.items():
            event = PEER_EVENTS.get(name, name)
            if event not in EVENTS:
                raise UsageError(
                    f"there is no event {name!r} to bind", f"events: {', '.join(EVENTS)}", did_you_mean(name, EVENTS)
                )
            self._keys = {k: e for k, e in self._keys.items() if e != event or k == "hangup"} | {key: event}

    def start(self) -> None:
        """Listen, where keys can be read at all; piped, this operator is silent."""
        if self._terminal is not None and self._terminal.keys:
            self._listener = self._terminal.listen(self._hear)

    def first_action(self, t: float) -> None:
        """Keys have no schedule."""

    def poll(self) -> list[Event]:
        """What was pressed since the last call."""
        # One swap: the terminal's thread may append at any time, to the old list or to the new one.
        events, self._events = self._events, []
        return events

    def bindings(self) -> dict[str, str]:
        """Key -> event."""
        return {key: event for key, event in self._keys.items() if key != "hangup"}

    def stop(self) -> None:
        """Give the keys back. Idempotent."""
        if self._listener is not None:
            self._listener.close()
            self._listener = None

    def _hear(self, event: Key | Line) -> None:
        now = self._clock.now()
        if isinstance(event, Line):
            text = event.text.strip()
            name = text if text in TYPED else "task"
            self._events.append(Event(name, now, "" if name == text else text))
        elif event.name in self._keys:
            self._events.append(Event(self._keys[event.name], now))
