"""The one table of events and keys: every strategy and every operator means the same by them.

An operator starts from its own default keys and changes them with `rebound`, whoever asks: its own `keys` option or the
strategy's. Names of events that LeRobot uses are accepted.
"""

from __future__ import annotations

from collections.abc import Mapping

from ..contracts.operator import EVENTS
from ..errors import UsageError, did_you_mean

PEER_EVENTS = {
    "pause_resume": "pause",
    "correction": "takeover",
    "upload": "push",
    "save_key": "save",
    "push_key": "push",
}
TYPED = ("start", "reset", "stop", "quit")
"""Events that are typed as a line; any other line is the new task."""


def event_named(name: str) -> str:
    """The event that `name` means.

    Raises:
        UsageError: there is none.
    """
    event = PEER_EVENTS.get(name, name)
    if event not in EVENTS:
        hint = did_you_mean(name, EVENTS)
        raise UsageError(f"there is no event {name!r} to bind", f"events: {', '.join(EVENTS)}", hint)
    return event


def rebound(keys: Mapping[str, str], changes: Mapping[str, str]) -> dict[str, str]:
    """Key -> event after `changes` {event: key}: the event's old keys are free again, the new key means it alone.

    All old keys are freed before any is given, so two events can swap theirs.

    Raises:
        UsageError: an event that does not exist, or one key for two of them.
    """
    wanted: dict[str, str] = {}
    for name, key in changes.items():
        event = event_named(name)
        if wanted.setdefault(key, event) != event:
            raise UsageError(
                f"key {key!r} is given to both {wanted[key]} and {event}",
                "one key means one event",
                f"another key for {event}",
            )
    kept = {key: event for key, event in keys.items() if event not in wanted.values()}
    return kept | wanted


def typed(line: str) -> tuple[str, str]:
    """A line as (event, payload): `"start"`, `"start fold the towel"`, `"task …"`; anything else is a task itself."""
    word, _, rest = line.strip().partition(" ")
    if word in TYPED and (not rest or word == "start"):
        return word, rest.strip()
    return "task", rest.strip() if word == "task" and rest else line.strip()
