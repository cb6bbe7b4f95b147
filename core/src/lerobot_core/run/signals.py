"""Signals: the first asks for an orderly end, the second means now.

Outside the loop (connecting, warming up) nobody polls, so there the first signal raises `Interrupted`; inside
the loop it only sets a flag that the next tick reads. The second raises `StopNow` wherever the main thread is,
and the exit path switches torque off at once. A third ends the process, for the case that even that hangs.
"""

from __future__ import annotations

import os
import signal
import threading
from types import FrameType
from typing import Any

from ..terminal import current

NAMES = ("SIGINT", "SIGTERM", "SIGHUP")


class Interrupted(KeyboardInterrupt):
    """The first signal, outside the loop."""


class StopNow(KeyboardInterrupt):
    """The second signal, or the operator's `stop_now`: torque off at once."""


class Signals:
    """Counts signals and knows whether a loop is polling.

    Attributes:
        received: the name of the first signal, "" before it.
        polling: True while a loop reads `received` every tick.
    """

    def __init__(self) -> None:
        self.received = ""
        self.polling = False
        self._count = 0
        self._previous: dict[int, Any] = {}

    def install(self) -> None:
        """Take over the signals; does nothing off the main thread, where Python allows none."""
        if threading.current_thread() is not threading.main_thread():
            return
        for name in NAMES:
            number = getattr(signal, name, None)
            if number is not None:
                self._previous[number] = signal.signal(number, self._handle)

    def restore(self) -> None:
        """Give the signals back. Idempotent."""
        for number, handler in self._previous.items():
            signal.signal(number, handler)
        self._previous.clear()

    def poll(self) -> None:
        """From now on the first signal only sets `received`; raises `Interrupted` if one has come already."""
        if self.received:
            raise Interrupted(self.received)
        self.polling = True

    def restart(self) -> None:
        """Listen for a new first signal: what was received has been acted on. A second one still means now."""
        self.received, self._count = "", 0

    def _handle(self, number: int, frame: FrameType | None) -> None:
        self._count += 1
        if self._count >= 3:
            current().restore()
            os._exit(130)
        if self._count == 2:
            raise StopNow(signal.Signals(number).name)
        self.received = signal.Signals(number).name
        if not self.polling:
            raise Interrupted(self.received)

    @property
    def exit_code(self) -> int | None:
        """130 after two signals, else None."""
        return 130 if self._count >= 2 else None
