"""The acme operator. A kitchen timer: it stops the run after a while; replace it by your pedal."""

from __future__ import annotations

from lerobot_core.clock import Clock
from lerobot_core.types import Event

from .config import AcmeOperatorConfig


class AcmeOperator:
    """A device would be listened to on a thread of `clock.spawn`; `poll` only hands over what arrived."""

    def __init__(self, config: AcmeOperatorConfig, clock: Clock) -> None:
        self._config, self._clock = config, clock
        self._due: float | None = None

    def start(self) -> None:
        """Begin to listen."""

    def first_action(self, t: float) -> None:
        """The first action was sent at `t`."""
        self._due = t + self._config.stop_after

    def rebind(self, keys: dict[str, str]) -> None:
        """It has no keys."""

    def poll(self) -> list[Event]:
        """What happened since the last call, oldest first; never waits."""
        if self._due is None or self._clock.now() < self._due:
            return []
        event = Event("stop", self._due)
        self._due = None
        return [event]

    def bindings(self) -> dict[str, str]:
        """Key -> event, as shown on screen."""
        return {}

    def stop(self) -> None:
        """Stop listening."""
        self._due = None
