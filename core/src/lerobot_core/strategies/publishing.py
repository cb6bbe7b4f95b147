"""Publishing while a run goes on: on a thread of its own, one push at a time, never implied by recording."""

from __future__ import annotations

import threading

from ..contracts.storage import Ticket
from ..contracts.strategy import Run
from ..errors import UserError

PUSH_RANK = 3
FINISH_S = 60.0
"""How long the way out waits for a push that is under way."""


class Publisher:
    """Pushes the run's dataset. A push that fails is a warning: the data stays where it is.

    Args:
        run: whose storage, clock and messages.
        every: push after every so many episodes, 0 only when asked.
    """

    def __init__(self, run: Run, every: int = 0) -> None:
        self._run, self._every = run, every
        self._saved = 0
        self._last: Ticket | None = None
        self._idle = threading.Event()
        self._idle.set()

    def saved(self, ticket: Ticket) -> None:
        """One more episode is on its way to the disk."""
        self._last = ticket
        self._saved += 1
        if self._every and self._saved % self._every == 0:
            self.push()

    def push(self) -> None:
        """Begin to push what is saved so far, unless the last push is still under way."""
        if not self._idle.is_set():
            self._run.notify("still publishing; asked again later, it publishes what came since")
            return
        self._idle.clear()
        ticket = self._last
        self._run.clock.spawn("push", lambda: self._push(ticket), PUSH_RANK)

    def finish(self) -> None:
        """For the way out: wait for the push that is under way."""
        if not self._run.clock.wait(self._idle, self._run.clock.now() + FINISH_S):
            self._run.log.warning("not waiting for the push any longer; afterwards: lr dataset push")

    def _push(self, ticket: Ticket | None) -> None:
        storage = self._run.storage
        try:
            if ticket is not None:
                ticket.wait()
            if storage is not None:
                self._run.log.info("published to %s", storage.push())
        except UserError as error:
            self._run.log.warning("could not publish: %s", error.what)
        finally:
            self._idle.set()
