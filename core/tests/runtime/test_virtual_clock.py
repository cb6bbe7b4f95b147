"""The virtual clock: one thread at a time, time that jumps, the same order in every run."""

from __future__ import annotations

import random
import signal
import threading
import time

import pytest
from lerobot_core.clock import FOREVER, Clock
from lerobot_core.virtual_clock import VirtualClock


def _run_of_four_threads() -> list[tuple[float, str]]:
    """Three workers and the loop, waking each other, with real sleeps thrown in to upset the scheduler."""
    clock, trace, rng = VirtualClock(), [], random.Random()
    work, done = threading.Event(), [threading.Event() for _ in range(3)]

    def note(name: str) -> None:
        if rng.random() < 0.2:
            time.sleep(rng.random() * 1e-3)
        trace.append((clock.now(), name))

    def worker(index: int) -> None:
        for step in range(8):
            clock.wait(work, clock.now() + 0.02 * (index + 1))
            note(f"worker{index}.{step}")
            clock.sleep_until(clock.now() + 0.003 * index)
        done[index].set()

    for index in range(3):
        clock.spawn(f"worker{index}", lambda index=index: worker(index), rank=4 - index)
    for tick in range(10):
        clock.sleep_until(tick * 0.01)
        note(f"tick{tick}")
        (work.set if tick % 3 == 0 else work.clear)()
    for event in done:
        clock.wait(event, FOREVER)
    return trace


def test_fifty_runs_with_real_threads_are_identical() -> None:
    first = _run_of_four_threads()
    assert len(first) == 34
    assert all(_run_of_four_threads() == first for _ in range(49))


def test_it_is_a_clock() -> None:
    assert isinstance(VirtualClock(), Clock)


def test_an_hour_takes_no_time_and_the_past_returns_at_once() -> None:
    clock = VirtualClock(start=5.0)
    clock.sleep_until(3600.0)
    clock.sleep_until(7.0)
    assert clock.now() == 3600.0


def test_ties_go_by_rank_and_then_by_order_of_spawning() -> None:
    clock, woke = VirtualClock(), []
    for name, rank in (("observer", 4), ("engine b", 2), ("world", 0), ("engine a", 2)):
        clock.spawn(name, lambda name=name: (clock.sleep_until(1.0), woke.append(name)), rank)
    clock.sleep_until(1.0)
    assert woke == ["world"]
    clock.sleep_until(2.0)
    assert woke == ["world", "engine b", "engine a", "observer"]


def test_a_spawned_participant_waits_for_the_baton() -> None:
    clock, began = VirtualClock(start=1.0), []
    clock.spawn("late", lambda: began.append(clock.now()), rank=0)
    assert began == []
    clock.sleep_until(2.0)
    assert began == [1.0]


def test_a_waiter_wakes_at_the_time_another_one_sets_its_event() -> None:
    clock, event = VirtualClock(), threading.Event()

    def setter() -> None:
        clock.sleep_until(0.25)
        event.set()
        clock.sleep_until(9.0)

    clock.spawn("setter", setter, rank=2)
    assert clock.wait(event, 5.0)
    assert clock.now() == 0.25


def test_a_wait_ends_at_its_deadline() -> None:
    clock = VirtualClock()
    assert not clock.wait(threading.Event(), 0.5)
    assert clock.now() == 0.5


def test_a_set_event_does_not_pass_the_baton() -> None:
    clock, event, ran = VirtualClock(), threading.Event(), []
    event.set()
    clock.spawn("other", lambda: ran.append(1), rank=0)
    assert clock.wait(event, FOREVER)
    assert ran == []


def test_a_deadlock_is_told_to_the_constructing_thread_and_names_everybody() -> None:
    clock, never = VirtualClock(), threading.Event()
    clock.spawn("engine", lambda: clock.wait(never, FOREVER), rank=2)
    with pytest.raises(RuntimeError, match=r"engine, loop|loop, engine"):
        clock.wait(threading.Event(), FOREVER)
    never.set()


def test_a_deadlock_found_by_a_participant_that_ends_reaches_the_loop() -> None:
    clock = VirtualClock()
    clock.spawn("engine", lambda: clock.sleep_until(1.0), rank=2)
    with pytest.raises(RuntimeError, match="none of them can set"):
        clock.wait(threading.Event(), FOREVER)
    assert clock.now() == 1.0


def test_a_thread_that_takes_no_part_is_told_how_to() -> None:
    clock, errors = VirtualClock(), []

    def stranger() -> None:
        try:
            clock.sleep_until(1.0)
        except RuntimeError as error:
            errors.append(str(error))

    thread = threading.Thread(target=stranger, name="stranger")
    thread.start()
    thread.join()
    assert "'stranger'" in errors[0]
    assert "clock.spawn" in errors[0]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_participant_that_raises_hands_the_baton_on() -> None:
    clock = VirtualClock()
    thread = clock.spawn("broken", lambda: 1 / 0, rank=0)
    clock.sleep_until(1.0)
    thread.join()
    assert clock.now() == 1.0


def test_after_a_signal_in_the_middle_of_a_wait_nobody_waits_for_ever() -> None:
    """A test's time limit, or Ctrl-C, while another participant computes for ever."""
    clock, computing, let_go = VirtualClock(), threading.Event(), threading.Event()
    told: list[str] = []

    def busy() -> None:
        computing.set()
        let_go.wait(60)
        try:
            clock.sleep_until(5.0)
        except RuntimeError as error:
            told.append(str(error))

    def press(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, press)
    main = threading.main_thread().ident
    assert main is not None
    try:
        thread = clock.spawn("busy", busy, 2)
        threading.Thread(target=lambda: computing.wait(60) and signal.pthread_kill(main, signal.SIGINT)).start()
        with pytest.raises(KeyboardInterrupt):
            clock.sleep_until(1.0)
    finally:
        signal.signal(signal.SIGINT, before)
    for wait in (lambda: clock.sleep_until(2.0), lambda: clock.spawn("late", busy, 2)):
        with pytest.raises(RuntimeError, match="interrupted"):
            wait()
    let_go.set()
    thread.join(60)
    assert "interrupted" in told[0]
