"""Observers watch rows on a thread of their own, latest-only, so that none of them can slow the loop."""

from __future__ import annotations

import functools
import logging
import threading
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

from ..clock import Clock
from ..contracts.observer import Noticing, Observer
from ..types import Step

log = logging.getLogger("lerobot.observers")
_RANK = 4
_STOP_S = 2.0
_MESSAGES = 100
"""Messages that may wait; a run says a few a minute."""


class ObserverThread:
    """Hands the newest row to every observer; one that raises is detached and reported once.

    Args:
        clock: the run's.
        observers: by name.
        fan_out: called with each row too (the `step` hook of every named plugin); None without any.
        period: how often the thread looks for a new row, in seconds. It looks by itself because waking it from the
            loop (`Event.set`) costs the loop 10 us a tick, an assignment 0.1 us.
    """

    def __init__(
        self,
        clock: Clock,
        observers: Mapping[str, Observer],
        fan_out: Callable[[Step], None] | None = None,
        period: float = 1 / 30,
    ) -> None:
        self._clock, self._period = clock, period
        self._watching: dict[str, Callable[[Step], None]] = {name: o.step for name, o in observers.items()}
        if fan_out is not None:
            self._watching["step hook"] = fan_out
        self._observers = dict(observers)
        self._latest: Step | None = None
        self._messages: deque[str] = deque(maxlen=_MESSAGES)
        self._stopping = threading.Event()
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None
        self.failed: dict[str, str] = {}

    def start(self, info: dict[str, Any]) -> None:
        """Start every observer, then the thread; without observers there is no thread."""
        for name, observer in self._observers.items():
            self._guard(name, lambda observer=observer: observer.start(info))  # type: ignore[misc]
        if self._watching:
            self._thread = self._clock.spawn("observers", self._loop, _RANK)

    def offer(self, step: Step) -> None:
        """The loop's side: the newest row replaces one that nobody has looked at."""
        self._latest = step

    def tell(self, text: str) -> None:
        """What the person at the arm is told, from any thread; messages are not left out as rows are."""
        self._messages.append(text)

    def stop(self) -> None:
        """Hand over the last row and end. Idempotent."""
        self._stopping.set()
        if self._thread is not None:
            self._clock.wait(self._ended, self._clock.now() + _STOP_S)
            self._thread = None
            for name, observer in self._observers.items():
                self._guard(name, observer.stop)

    def _loop(self) -> None:
        stopping = False
        while not stopping:
            stopping = self._clock.wait(self._stopping, self._clock.now() + self._period)
            self._pass_on_messages()
            step, self._latest = self._latest, None
            if step is not None:
                for name, watch in list(self._watching.items()):
                    self._guard(name, lambda watch=watch, step=step: watch(step))  # type: ignore[misc]
        self._ended.set()

    def _pass_on_messages(self) -> None:
        while self._messages:
            text = self._messages.popleft()
            for name, observer in self._observers.items():
                if isinstance(observer, Noticing) and name in self._watching:
                    self._guard(name, functools.partial(observer.notice, text))

    def _guard(self, name: str, call: Callable[[], None]) -> None:
        try:
            call()
        except Exception as error:
            self.failed[name] = f"{type(error).__name__}: {error}"
            self._watching.pop(name, None)
            log.warning("observer '%s' was detached: %s", name, self.failed[name])
