"""`terminal`: the keys of the terminal that started the run; `/` opens a line for a new task."""

from __future__ import annotations

from ..clock import Clock
from ..errors import UsageError, did_you_mean
from ..specs import Parts
from ..terminal import Terminal
from ..terminal_keyboard import Listener
from ..terminal_keys import KEY_NAMES, Key, Line
from ..types import Event
from .config import TerminalOperatorConfig
from .table import rebound, typed

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
}
"""Key -> event, unless rebound."""
HANGUP = "hangup"
"""The terminal went away; nobody can steer any more."""
_ELSEWHERE = ("KEY_", "BTN_")
"""How the kernel's input devices call their keys; a terminal has none of those."""


class TerminalOperator:
    """Events from keys, and from lines typed after `/`: `start`, `reset`, `stop`, `quit`; any other is the new task."""

    def __init__(self, config: TerminalOperatorConfig, parts: Parts) -> None:
        self._clock: Clock = parts.clock
        self._terminal: Terminal | None = parts.terminal
        if self._terminal is not None:
            self._terminal.require_keys()  # now: it would be late to learn it once the policy is warm
        self._keys = dict(KEYS)
        self._events: list[Event] = []
        self._listener: Listener | None = None
        self.rebind(config.keys or {})

    def rebind(self, keys: dict[str, str]) -> None:
        """{event: key}; keys of other devices (`KEY_A`) are left to their operators.

        Raises:
            UsageError: no such event, no such key in a terminal, or one key for two events.
        """
        mine = {event: key for event, key in keys.items() if not key.startswith(_ELSEWHERE)}
        for key in mine.values():
            _check_key(key)
        self._keys = rebound(self._keys, mine)

    def start(self) -> None:
        """Listen; embedded, without a terminal, this operator is silent.

        Raises:
            UserError: there is a terminal and no keys can be read from it (piped, or a background job).
        """
        if self._terminal is not None:
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
        return dict(self._keys)

    def stop(self) -> None:
        """Give the keys back. Idempotent."""
        if self._listener is not None:
            self._listener.close()
            self._listener = None

    def _hear(self, event: Key | Line) -> None:
        now = self._clock.now()
        if isinstance(event, Line):
            name, text = typed(event.text)
            self._events.append(Event(name, now, text))
        elif event.name == HANGUP:
            self._events.append(Event("quit", now))
        elif event.name in self._keys:
            self._events.append(Event(self._keys[event.name], now))


def _check_key(key: str) -> None:
    if len(key) == 1 or key in KEY_NAMES or (key.startswith("ctrl-") and len(key) == 6):
        return
    raise UsageError(
        f"a terminal has no key {key!r}",
        f"a character, ctrl-X, or {', '.join(KEY_NAMES)}",
        did_you_mean(key, KEY_NAMES),
    )
