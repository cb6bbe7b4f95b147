"""Operator: how a person (or a script) steers a run: terminal keys, a pedal, a web console."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from ..types import Event

EVENTS = (
    "pause", "takeover", "save", "push", "next", "rerecord", "discard", "clutch",
    "success", "failure", "stop", "stop_now", "start", "reset", "task", "quit",
)  # fmt: skip


@runtime_checkable
class Operator(Protocol):
    """Listens on a thread of its own; `poll` only hands over what arrived."""

    def start(self) -> None:
        """Begin to listen; called before the loop."""

    def first_action(self, t: float) -> None:
        """The first action was sent at `t`: the zero of a script's times."""

    def rebind(self, keys: dict[str, str]) -> None:
        """Change keys, {event: key}; a strategy's own `keys` option arrives here."""

    def poll(self) -> list[Event]:
        """Events since the last call, oldest first; never blocks."""

    def bindings(self) -> dict[str, str]:
        """Key -> event, as shown on screen; checked for clashes before the run."""

    def stop(self) -> None:
        """Stop listening. Idempotent."""
