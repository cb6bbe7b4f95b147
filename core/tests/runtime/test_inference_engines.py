"""sync and chunked against a policy on the virtual clock."""

from __future__ import annotations

import dataclasses
import itertools
import random
import threading
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pytest
from lerobot_core.action_queue import ActionQueue
from lerobot_core.contracts.inference import InferenceEngine
from lerobot_core.contracts.policy import Policy
from lerobot_core.errors import InferenceError
from lerobot_core.inference import plugin
from lerobot_core.inference.chunked import ChunkedEngine
from lerobot_core.inference.sync import SyncEngine
from lerobot_core.inference.worker import WorkerEngine
from lerobot_core.specs import Parts
from lerobot_core.types import ActionChunk, Observation, Timed
from lerobot_core.virtual_clock import VirtualClock

DT = 1 / 16
"""Exact in binary, so that sums of periods are too."""

LEFT_BEHIND: set[threading.Thread] = set()
"""Tests that do not stop their engine leave a daemon thread waiting on its own virtual clock."""


class Bench:
    """A loop without a robot: observe, notify, take the next action, wait for the next period."""

    def __init__(self, engine: Any, policy: Any, clock: VirtualClock) -> None:
        self.engine, self.policy, self.clock = engine, policy, clock
        self.queue = ActionQueue(DT)
        self.taken: list[Timed | None] = []
        self.executed = 0
        self.index = 0

    def start(self) -> Bench:
        self.engine.start(self.policy, self.queue, self.clock)
        return self

    def tick(self, count: int = 1, take: bool = True) -> None:
        for _ in range(count):
            t = self.clock.now()
            self.engine.notify(Observation({"count": float(self.executed)}, t), "task", self.queue.mark())
            timed = self.engine.next_action(t) if take else None
            self.taken.append(timed)
            self.executed += timed is not None
            self.clock.sleep_until(max(t + DT, self.clock.now()))

    def tick_until(self, done: Callable[[], bool]) -> None:
        for _ in range(10_000):
            if done():
                return
            self.tick()
        raise AssertionError("it never happened")

    @property
    def values(self) -> list[float]:
        return [timed.action["pan.pos"] for timed in self.taken if timed is not None]

    @property
    def holds(self) -> int:
        return self.taken.count(None)


@pytest.fixture
def make(counting_policy: Any) -> Callable[..., Bench]:
    def build(engine: Any, latencies: Iterable[float] = (0.0,), size: int = 16, used: int | None = None) -> Bench:
        clock = VirtualClock()
        return Bench(engine, counting_policy(clock, latencies, size, used), clock)

    return build


def join_workers() -> None:
    """Threads of this test that have handed the baton on for the last time end by themselves."""
    for thread in threading.enumerate():
        if thread.name == "inference-chunked" and thread not in LEFT_BEHIND:
            thread.join(10.0)
            assert not thread.is_alive()


@pytest.fixture(autouse=True)
def _workers_of_other_tests() -> None:
    LEFT_BEHIND.update(thread for thread in threading.enumerate() if thread.name == "inference-chunked")


both = pytest.mark.parametrize("engine", [SyncEngine, ChunkedEngine])


@both
def test_it_keeps_the_contract(engine: Any, make: Callable[..., Bench]) -> None:
    bench = make(engine())
    assert isinstance(bench.engine, InferenceEngine)
    assert isinstance(bench.policy, Policy)
    assert bench.engine.state == "idle"
    bench.start()
    assert (bench.engine.state, bench.engine.error) == ("ready", None)
    assert bench.engine.gives == ("pan.pos", "lift.pos")
    bench.tick(5)
    bench.engine.stop()
    bench.engine.stop()
    assert bench.engine.state == "idle"


@both
def test_stop_before_start_is_nothing(engine: Any) -> None:
    engine().stop()


@both
def test_it_says_that_it_needs_a_policy(engine: Any) -> None:
    with pytest.raises(InferenceError, match="needs a policy"):
        engine().start(None, ActionQueue(DT), VirtualClock())


@both
def test_actions_carry_time_task_and_a_running_number(engine: Any, make: Callable[..., Bench]) -> None:
    bench = make(engine(), size=4).start()
    bench.tick_until(lambda: bench.executed > 8)
    taken = [timed for timed in bench.taken if timed is not None]
    assert {timed.task for timed in taken} == {"task"}
    assert sorted({timed.seq for timed in taken})[:3] == [0, 1, 2]
    assert all(timed.time <= index * DT + 1e-9 for index, timed in enumerate(bench.taken) if timed is not None)


@both
def test_every_action_is_executed_once_whatever_the_latency(engine: Any, make: Callable[..., Bench]) -> None:
    rng = random.Random(1)
    latencies = itertools.chain([2.0], (rng.choice([0.02, 0.1, 0.1, 0.1, 1.0]) for _ in itertools.count()))
    bench = make(engine(), latencies).start()
    bench.tick_until(lambda: len(bench.policy.asked) == 150)
    assert bench.values == list(range(bench.executed))
    bench.engine.stop()


@both
def test_a_policy_that_raises_leaves_the_engine_dead_with_the_reason(engine: Any, make: Callable[..., Bench]) -> None:
    bench = make(engine()).start()

    def broken(chunk: ActionChunk) -> ActionChunk:
        raise ZeroDivisionError("no such thing")

    bench.policy.answer = broken
    bench.tick_until(lambda: bench.engine.state == "dead")
    error = bench.engine.error
    assert isinstance(error, InferenceError)
    assert "ZeroDivisionError" in error.what
    assert isinstance(error.__cause__, ZeroDivisionError)
    assert bench.engine.stats()["errors"] == 1
    bench.engine.stop()
    assert bench.engine.state == "dead"


@both
def test_nan_in_a_chunk_is_the_policys_error(engine: Any, make: Callable[..., Bench]) -> None:
    bench = make(engine()).start()
    bench.policy.answer = lambda chunk: dataclasses.replace(chunk, actions=chunk.actions * np.float32("nan"))
    bench.tick_until(lambda: bench.engine.state == "dead")
    assert "'pan.pos' at step 0" in str(bench.engine.error)


@both
def test_a_failing_warm_up_is_told_at_start(engine: Any, make: Callable[..., Bench]) -> None:
    bench = make(engine())
    bench.policy.warmup = lambda: 1 / 0
    with pytest.raises(InferenceError, match="warming up"):
        bench.start()
    assert bench.engine.state == "dead"
    bench.engine.stop()


@both
def test_pause_clears_and_asks_no_more_until_resume(engine: Any, make: Callable[..., Bench]) -> None:
    bench = make(engine(), [0.1]).start()
    bench.tick(6)
    bench.engine.pause()
    assert (bench.queue.depth(), bench.engine.state) == (0, "idle")
    bench.tick(1)
    calls = len(bench.policy.asked)
    bench.tick(20, take=False)
    assert len(bench.policy.asked) == calls
    assert bench.queue.depth() == 0
    bench.engine.resume()
    assert bench.engine.state == "ready"
    bench.tick(5)
    assert bench.values == list(range(bench.executed))
    assert bench.taken[-1] is not None


@both
def test_reset_forgets_the_episode_between_two_calls_on_the_policys_own_thread(
    engine: Any, make: Callable[..., Bench]
) -> None:
    bench = make(engine(), [0.3]).start()
    bench.tick(1)
    bench.engine.reset()
    bench.tick_until(lambda: len(bench.policy.asked) > 1)
    steps = [what for what, _ in bench.policy.log]
    assert steps[:4] == ["warmup", "predict", "reset", "predict"]
    assert len({thread for _, thread in bench.policy.log}) == 1
    assert bench.values == list(range(bench.executed))


@both
def test_stats_are_the_summarys_engine_block(engine: Any, make: Callable[..., Bench]) -> None:
    bench = make(engine(), [0.2, 0.1]).start()
    bench.tick_until(lambda: bench.engine.stats()["calls"] == 3)
    stats = bench.engine.stats()
    assert stats["latency_ms"] == {"p50": 100.0, "p99": 200.0, "max": 200.0}
    assert stats.keys() == {"state", "calls", "errors", "latency_ms", "delay_steps", "dropped_chunks"}
    bench.engine.stop()


# --- sync -----------------------------------------------------------------------------------------------------------


def test_sync_executes_n_action_steps_and_then_asks_again(make: Callable[..., Bench]) -> None:
    bench = make(SyncEngine(), size=16, used=5).start()
    bench.tick(12)
    assert bench.policy.asked == [0, 5, 10]
    assert bench.holds == 0
    assert bench.engine.stats()["delay_steps"] == {"p50": 0, "max": 0}


def test_sync_executes_all_of_a_chunk_that_took_longer_than_actions_may_age(make: Callable[..., Bench]) -> None:
    bench = make(SyncEngine(), [30.0], size=16).start()
    bench.tick(40)
    assert bench.policy.asked == [0, 16, 32]
    assert bench.queue.stats()["stale"] == 0


def test_sync_asks_on_every_tick_when_the_policy_ensembles(make: Callable[..., Bench]) -> None:
    bench = make(SyncEngine(), size=8)
    bench.policy.ensemble = 0.01
    bench.policy.answer = lambda chunk: dataclasses.replace(chunk, actions=np.full((8, 2), len(asked) - 1, np.float32))
    asked = bench.policy.asked
    bench.start().tick(3)
    assert asked == [0, 1, 2]
    w = np.exp(-0.01 * np.arange(3))
    expected = [0.0, w[1] / w[:2].sum(), (w[1] + 2 * w[2]) / w.sum()]
    assert bench.values == pytest.approx(expected)


# --- chunked --------------------------------------------------------------------------------------------------------


def test_chunked_starts_a_cold_two_second_call_at_action_zero(make: Callable[..., Bench]) -> None:
    bench = make(ChunkedEngine(), [2.0, 0.1], size=32).start()
    bench.tick(50)
    first = next(timed for timed in bench.taken if timed is not None)
    assert bench.holds == 33
    assert (first.step, first.seq) == (0, 0)


def test_chunked_keeps_the_queue_from_running_dry_without_asking_all_the_time(make: Callable[..., Bench]) -> None:
    bench = make(ChunkedEngine(), [0.15], size=100).start()
    bench.tick(1000)
    assert bench.holds == 3
    # 1 cold call and the one that follows it at once; then one for each 100 actions less latency and margin.
    assert len(bench.policy.asked) == 12
    bench.engine.stop()


def test_chunked_asks_earlier_when_the_policy_wants_less_of_each_chunk(make: Callable[..., Bench]) -> None:
    bench = make(ChunkedEngine(), [0.1], size=50, used=10).start()
    bench.tick(200)
    gaps = np.diff(bench.policy.asked[3:])
    assert gaps.min() >= 5
    assert gaps.max() <= 10


def test_after_a_call_far_slower_than_the_others_it_asks_at_once(make: Callable[..., Bench]) -> None:
    """Its actions are old already, and would be too old before the queue has run down to the threshold."""
    bench = make(ChunkedEngine(), [0.1, 0.1, 2.4, 0.1], size=24).start()
    bench.tick_until(lambda: len(bench.policy.asked) == 8)
    assert bench.queue.stats()["stale"] == 0
    assert bench.values == list(range(bench.executed))
    bench.engine.stop()


def test_chunked_obeys_a_threshold(make: Callable[..., Bench]) -> None:
    bench = make(ChunkedEngine(threshold=0), [0.1], size=10).start()
    bench.tick(40)
    assert bench.policy.asked == [0, 10, 20, 30]


def test_one_request_at_a_time_and_only_the_newest_observation(make: Callable[..., Bench]) -> None:
    bench = make(ChunkedEngine(), [1.0, 0.1], size=100).start()
    bench.tick(15, take=False)
    assert len(bench.policy.asked) == 1
    bench.executed = 7
    bench.tick(3, take=False)
    assert bench.policy.asked == [0, 7]


def test_a_chunk_asked_for_before_a_reset_is_dropped(make: Callable[..., Bench]) -> None:
    bench = make(ChunkedEngine(), [0.5]).start()
    bench.tick(1)
    bench.engine.reset()
    bench.tick(11, take=False)
    assert bench.queue.stats()["other_epoch"] == 1
    bench.engine.stop()


def test_the_call_after_a_reset_is_a_cold_one(make: Callable[..., Bench]) -> None:
    bench = make(ChunkedEngine(), [0.1, 0.1, 9.0, 0.1], size=100).start()
    bench.tick_until(lambda: bench.engine.stats()["calls"] == 2)
    bench.engine.reset()
    bench.tick_until(lambda: bench.engine.stats()["calls"] == 4)
    assert bench.engine.delay.seconds == pytest.approx(0.1)


def test_a_call_that_hangs_is_shown_as_stalled(make: Callable[..., Bench]) -> None:
    bench = make(ChunkedEngine(), [0.1, 0.1, 5.0, 0.1], size=4).start()
    bench.tick_until(lambda: bench.engine.state == "stalled")
    bench.tick_until(lambda: bench.engine.state == "ready")
    bench.engine.stop()


def test_stop_waits_for_the_call_that_is_running(make: Callable[..., Bench]) -> None:
    bench = make(ChunkedEngine(), [0.4]).start()
    bench.tick(1)
    bench.engine.stop()
    assert bench.clock.now() == pytest.approx(0.4)


def test_a_policy_that_never_comes_back_is_left_behind(
    make: Callable[..., Bench], caplog: pytest.LogCaptureFixture
) -> None:
    bench = make(ChunkedEngine(), [1e6]).start()
    bench.tick(1)
    bench.engine.stop()
    assert bench.clock.now() < 10.0
    assert "still busy" in caplog.text


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_policy_that_exits_its_thread_is_noticed(make: Callable[..., Bench]) -> None:
    bench = make(ChunkedEngine()).start()

    def leave(chunk: ActionChunk) -> ActionChunk:
        raise SystemExit(1)

    bench.policy.answer = leave
    bench.tick_until(lambda: bench.engine.state == "dead")
    join_workers()
    assert "ended its thread" in str(bench.engine.error)


def test_an_engine_may_forgive_errors_until_there_are_too_many_in_a_row(make: Callable[..., Bench]) -> None:
    class Patient(ChunkedEngine):
        max_errors = 3

    bench = make(Patient()).start()
    failing = itertools.chain([True, True, False], itertools.repeat(True))

    def flaky(chunk: ActionChunk) -> ActionChunk:
        if next(failing):
            raise OSError("lost")
        return chunk

    bench.policy.answer = flaky
    bench.tick(1)
    assert bench.engine.state == "degraded"
    assert "lost" in str(bench.engine.error)
    bench.tick_until(lambda: bench.engine.state == "ready")
    assert bench.engine.error is None
    bench.tick_until(lambda: bench.engine.state == "dead")
    assert bench.engine.stats()["errors"] == 5


def test_an_engine_may_wait_before_it_asks_again_after_an_error(make: Callable[..., Bench]) -> None:
    class Patient(ChunkedEngine):
        max_errors = 3
        retry_s = 0.5

    bench = make(Patient()).start()
    when: list[float] = []

    def broken(chunk: ActionChunk) -> ActionChunk:
        when.append(bench.clock.now())
        raise OSError("lost")

    bench.policy.answer = broken
    bench.tick_until(lambda: bench.engine.state == "dead")
    assert np.diff(when).tolist() == [0.5, 0.5]


# --- the plugin -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "built"), [("sync", SyncEngine), ("chunked", ChunkedEngine)])
def test_both_are_offered_by_name(name: str, built: type[Any]) -> None:
    spec = next(spec for spec in plugin.lerobot_inference_engines() if spec.name == name)
    assert spec.needs_policy
    engine = spec.build(spec.config(), Parts(VirtualClock()))
    assert isinstance(engine, built)


def test_the_threshold_option_reaches_the_engine() -> None:
    spec = next(spec for spec in plugin.lerobot_inference_engines() if spec.name == "chunked")
    engine = spec.build(spec.config(queue_threshold=3), Parts(VirtualClock()))
    assert isinstance(engine, WorkerEngine)
    assert engine.threshold() == 3


def test_no_thread_is_left_after_stop(make: Callable[..., Bench]) -> None:
    bench = make(ChunkedEngine(), [0.1]).start()
    bench.tick(10)
    bench.engine.stop()
    join_workers()
