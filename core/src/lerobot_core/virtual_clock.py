"""Time that jumps: real threads, one at a time, in an order that is the same in every run."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from .clock import FOREVER


def _closed_gate() -> threading.Lock:
    gate = threading.Lock()
    gate.acquire()
    return gate


@dataclass(eq=False, slots=True)
class _Participant:
    """One thread; `gate` opens when the baton comes to it, `until` and `event` say what it waits for."""

    name: str
    rank: int
    order: int
    until: float
    event: threading.Event | None = None
    deadlock: str = ""
    gate: threading.Lock = field(default_factory=_closed_gate)

    def wakes(self, now: float) -> float:
        return now if self.event is not None and self.event.is_set() else self.until


class VirtualClock:
    """A clock whose seconds pass only while every participant waits.

    The thread that constructs it is the first participant (`"loop"`, rank 1) and holds the baton; `spawn` adds others.
    Exactly one participant runs at any time. When it waits or ends, the baton goes to whoever wakes earliest, ties by
    rank, then by the order of spawning, and `now()` jumps there.

    Events are plain `threading.Event`: whether a waited-for event is set is looked at on every hand-over, so a
    participant wakes at the time at which another one set it. Never wait while holding a lock, and never block on a
    participant by other means (`thread.join`, `queue.get`): the baton would not move.

    Args:
        start: the first `now()`, in seconds.
        rank: the constructing thread's.
    """

    def __init__(self, start: float = 0.0, rank: int = 1) -> None:
        self._now = start
        self._lock = threading.Lock()
        self._orders = itertools.count()
        self._waiting: list[_Participant] = []
        self._interrupted = False
        self._mine = threading.local()
        self._first = self._mine.me = _Participant("loop", rank, next(self._orders), start)

    def now(self) -> float:
        """Virtual seconds; any thread may ask."""
        return self._now

    def sleep_until(self, t: float) -> None:
        """Let the others run until `t`; returns at once, keeping the baton, when `t` is not in the future.

        Raises:
            RuntimeError: the calling thread takes no part, everybody waits for an event that nobody can set, or a signal
                interrupted somebody's wait.
        """
        if t > self._now:
            self._hand_over(t, None)

    def wait(self, event: threading.Event, until: float) -> bool:
        """Let the others run until one of them has set `event`, at most until `until`; True when it is set.

        Raises:
            RuntimeError: the calling thread takes no part, or everybody waits for an event that nobody can set; the
                constructing thread is the one that is told.
        """
        if not event.is_set() and until > self._now:
            self._hand_over(until, event)
        return event.is_set()

    def spawn(self, name: str, fn: Callable[[], None], rank: int) -> threading.Thread:
        """A participant that first runs at the present time, when the baton comes to it."""
        with self._lock:
            self._refuse_after_interruption()
            me = _Participant(name, rank, next(self._orders), self._now)
            self._waiting.append(me)
        thread = threading.Thread(target=self._take_part, args=(me, fn), name=name, daemon=True)
        thread.start()
        return thread

    def _take_part(self, me: _Participant, fn: Callable[[], None]) -> None:
        self._mine.me = me
        me.gate.acquire()
        try:
            if not self._interrupted:
                fn()
        finally:
            with self._lock:
                if not self._interrupted:
                    self._choose().gate.release()

    def _hand_over(self, until: float, event: threading.Event | None) -> None:
        me: _Participant | None = getattr(self._mine, "me", None)
        if me is None:
            name = threading.current_thread().name
            raise RuntimeError(f"thread {name!r} takes no part in this virtual clock; start it with clock.spawn")
        with self._lock:
            self._refuse_after_interruption()
            me.until, me.event = until, event
            self._waiting.append(me)
            self._choose().gate.release()
        try:
            me.gate.acquire()
        except BaseException:
            # A signal reached a thread that did not hold the baton. Whoever holds it may never hand it over.
            self._release_all()
            raise
        self._refuse_after_interruption()
        if me.deadlock:
            text, me.deadlock = me.deadlock, ""
            raise RuntimeError(text)

    def _refuse_after_interruption(self) -> None:
        if self._interrupted:
            raise RuntimeError(
                "this virtual clock was interrupted while somebody waited; nobody can wait on it any more"
            )

    def _release_all(self) -> None:
        with self._lock:
            self._interrupted = True
            waiting, self._waiting = self._waiting, []
        for each in waiting:
            each.gate.release()

    def _choose(self) -> _Participant:
        """Who gets the baton. The constructing thread never leaves, so somebody always waits here."""
        now = self._now
        chosen = min(self._waiting, key=lambda p: (p.wakes(now), p.rank, p.order))
        t = chosen.wakes(now)
        if t == FOREVER:
            names = ", ".join(p.name for p in self._waiting)
            chosen = self._first if self._first in self._waiting else chosen
            chosen.deadlock = f"every participant waits for an event that none of them can set any more: {names}"
        else:
            self._now = max(now, t)
        self._waiting.remove(chosen)
        return chosen
