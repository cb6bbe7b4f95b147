"""The promise of one saved episode."""

from __future__ import annotations

import threading

from lerobot_core.clock import FOREVER, Clock


class EpisodeTicket:
    """Handed out by `save_episode`; the storage's worker keeps it.

    Attributes:
        rows: of the episode, known once it was saved.
        seconds: from `save_episode` to done or failed, None before.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock, self._over = clock, threading.Event()
        self._error: Exception | None = None
        self._asked = clock.now()
        self.rows = 0
        self.seconds: float | None = None

    @property
    def done(self) -> bool:
        """True once the episode survives kill -9 and power loss."""
        return self._over.is_set() and self._error is None

    @property
    def error(self) -> Exception | None:
        """Why it could not be made durable."""
        return self._error

    def wait(self, timeout: float | None = None) -> bool:
        """Block until done or failed, at most `timeout` seconds; True when done."""
        until = FOREVER if timeout is None else self._clock.now() + timeout
        self._clock.wait(self._over, until)
        return self.done

    def settle(self, error: Exception | None = None) -> None:
        """The worker's word: it is done, or it failed."""
        if self._over.is_set():
            return
        self._error, self.seconds = error, self._clock.now() - self._asked
        self._over.set()
