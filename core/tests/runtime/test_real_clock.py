"""The real clock: what it promises, without asserting how long anything takes."""

from __future__ import annotations

import threading

from lerobot_core.clock import FOREVER, Clock, RealClock


def test_it_is_a_clock() -> None:
    assert isinstance(RealClock(), Clock)


def test_it_never_wakes_early_and_the_past_returns() -> None:
    clock = RealClock()
    deadline = clock.now() + 0.002
    clock.sleep_until(deadline)
    assert clock.now() >= deadline
    clock.sleep_until(deadline - 10.0)


def test_wait_tells_a_set_event_from_a_deadline() -> None:
    clock, event = RealClock(), threading.Event()
    assert not clock.wait(event, clock.now() - 1.0)
    assert not clock.wait(event, clock.now() + 0.001)
    event.set()
    assert clock.wait(event, clock.now() - 1.0)


def test_spawn_starts_a_named_daemon_that_can_be_waited_for_forever() -> None:
    clock, done, seen = RealClock(), threading.Event(), []

    def run() -> None:
        seen.append(threading.current_thread().name)
        done.set()

    thread = clock.spawn("worker", run, rank=2)
    assert clock.wait(done, FOREVER)
    assert (seen, thread.daemon) == (["worker"], True)
