"""The engine on the virtual clock: what the guide holds, what is executed, what errors do."""

from __future__ import annotations

import dataclasses
import itertools
import logging
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lerobot_core.action_queue import ActionQueue
from lerobot_core.conformance.inference import InferenceEngineConformance, WatchedPolicy
from lerobot_core.errors import InferenceError
from lerobot_core.types import ActionChunk
from lerobot_core.virtual_clock import VirtualClock
from lerobot_inference_rtc.config import RtcConfig
from lerobot_inference_rtc.engine import RtcEngine, chosen_guidance
from rtc_bench import DT, Bench, check_alignment, spikes


class TestRtc(InferenceEngineConformance):
    """With a policy that takes no guidance."""

    name = "rtc"


class TestRtcGuided(InferenceEngineConformance):
    """With one that does."""

    name = "rtc"

    def policy(self, **options: Any) -> WatchedPolicy:
        """Of chunks that disagree."""
        fault = {"fault_after": 3} if "fault" in options else {}  # the rehearsals come first
        return super().policy(guided=True, scatter=3.0, **fault, **options)


# --- the guide ------------------------------------------------------------------------------------------------------


def test_the_first_chunk_has_nothing_to_continue() -> None:
    bench = Bench([0.1]).start()
    bench.tick_until(lambda: len(bench.asked) == 2)
    assert bench.asked[0].guide is None
    assert bench.asked[1].guide is not None


def test_a_guide_begins_at_its_observation_and_is_never_padded() -> None:
    bench = Bench([0.3, 0.1], size=8, execution_horizon=10).start()
    bench.tick_until(lambda: len(bench.asked) == 30)
    assert check_alignment(bench.asked, horizon=10) > 20
    assert {len(each.guide.actions) for each in bench.asked if each.guide} <= set(range(1, 9))
    bench.engine.stop()


def test_a_request_that_waited_for_the_call_before_it_is_guided_from_its_own_observation_on() -> None:
    """The chunk that arrives in between is what is continued, beginning with what was executed of the old one."""
    bench = Bench([0.4, 1.0, 0.1], size=32, queue_threshold=100).start()
    bench.tick_until(lambda: len(bench.asked) == 8)
    assert check_alignment(bench.asked, horizon=10) >= 6
    bench.engine.stop()


def test_the_estimated_delay_is_what_is_executed_before_the_answer() -> None:
    bench = Bench([0.15], size=32, rehearsals=[0.15] * 3).start()
    bench.tick_until(lambda: len(bench.asked) == 12)
    guided = [each for each in bench.asked if each.guide is not None]
    assert {each.guide.delay for each in guided} == {3}  # type: ignore[union-attr]
    assert bench.engine.stats()["delay_steps"]["p50"] == 3
    bench.engine.stop()


def test_a_delay_beyond_the_horizon_widens_it_and_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    bench = Bench([0.5], size=32, rehearsals=[0.5] * 3, execution_horizon=4)
    with caplog.at_level(logging.INFO, "lerobot.inference"):
        bench.start().tick_until(lambda: len(bench.asked) == 6)
    guide = bench.asked[-1].guide
    assert guide is not None
    assert (guide.delay, guide.horizon, len(guide.actions)) == (8, 8, 8)
    assert caplog.text.count("guiding as many") == 1
    bench.engine.stop()


def test_a_guide_carries_what_was_configured() -> None:
    bench = Bench([0.1], schedule="EXP", max_guidance_weight=4.0, execution_horizon=6).start()
    bench.tick_until(lambda: len(bench.asked) == 3)
    guide = bench.asked[-1].guide
    assert guide is not None
    assert (guide.schedule, guide.max_weight, guide.horizon) == ("EXP", 4.0, 6)
    bench.engine.stop()


def test_it_asks_while_a_whole_horizon_is_left() -> None:
    bench = Bench([0.0625], size=32, rehearsals=[0.0625] * 3, execution_horizon=12).start()
    bench.tick_until(lambda: len(bench.asked) == 10)
    assert all(len(each.guide.actions) == 12 for each in bench.asked if each.guide is not None)
    assert bench.holds == 2
    bench.engine.stop()


def test_a_policy_that_was_trained_for_it_is_guided_too() -> None:
    bench = Bench([0.1], guidance="trained").start()
    bench.tick_until(lambda: len(bench.asked) == 3)
    assert bench.asked[-1].guide is not None
    bench.engine.stop()


# --- the modes ------------------------------------------------------------------------------------------------------


def test_a_policy_without_guidance_gets_none_and_is_only_warmed_up() -> None:
    bench = Bench([0.1], guidance="none").start()
    assert bench.policy.log == ["warmup"]
    bench.tick_until(lambda: len(bench.asked) == 6)
    assert all(each.guide is None for each in bench.asked)
    assert bench.values == list(range(bench.executed))
    bench.engine.stop()


@pytest.mark.parametrize("mode", ["replace", "append"])
def test_unguided_on_request(mode: str) -> None:
    bench = Bench([0.1], mode=mode).start()
    bench.tick_until(lambda: len(bench.asked) == 6)
    assert all(each.guide is None for each in bench.policy.asked)
    assert bench.engine.mode() == mode
    assert bench.values == list(range(bench.executed))
    bench.engine.stop()


@pytest.mark.parametrize(("mode", "switches"), [("replace", True), ("append", False)])
def test_append_finishes_a_chunk_that_replace_would_leave(mode: str, switches: bool) -> None:
    bench = Bench([0.1], size=16, guidance="none", mode=mode, queue_threshold=8)
    bench.policy.answer = lambda chunk: dataclasses.replace(
        chunk, actions=np.full_like(chunk.actions, len(bench.policy.asked))
    )
    bench.start().tick(30)
    taken = [timed for timed in bench.taken if timed is not None]
    runs = [len(list(group)) for _, group in itertools.groupby(timed.seq for timed in taken)]
    assert (runs[0] < 16) is switches
    bench.engine.stop()


@pytest.mark.parametrize(
    ("mode", "can", "found"),
    [
        ("auto", "none", "none"),
        ("auto", "guided", "guided"),
        ("auto", "trained", "trained"),
        ("guided", "guided", "guided"),
        ("trained", "trained", "trained"),
        ("replace", "guided", "none"),
        ("append", "trained", "none"),
    ],
)
def test_what_a_mode_means(mode: str, can: Any, found: str) -> None:
    assert chosen_guidance(mode, can) == found


@pytest.mark.parametrize(("mode", "can"), [("guided", "none"), ("trained", "guided"), ("guided", "trained")])
def test_guidance_that_the_policy_does_not_have_is_refused(mode: str, can: Any) -> None:
    bench = Bench(guidance=can, mode=mode)
    with pytest.raises(InferenceError, match=mode) as caught:
        bench.start()
    assert repr(can) in caught.value.why


def test_it_says_that_it_needs_a_policy() -> None:
    with pytest.raises(InferenceError, match="needs a policy"):
        RtcEngine(RtcConfig()).start(None, ActionQueue(DT), VirtualClock())


# --- warm-up --------------------------------------------------------------------------------------------------------


def test_guided_calls_are_compiled_before_anything_moves() -> None:
    """A compiled network pays once for the plain call and once for the guided one; neither may hold the arm."""
    bench = Bench([0.1], size=32, rehearsals=[20.0, 30.0, 0.1]).start()
    assert bench.policy.log == ["warmup", "predict", "guided", "guided", "reset"]
    assert bench.clock.now() == pytest.approx(50.1)
    bench.tick_until(lambda: len(bench.asked) == 6)
    assert bench.engine.delay.seconds == pytest.approx(0.1)
    assert bench.holds == 2
    assert bench.queue.stats()["stale"] == 0
    bench.engine.stop()


def test_a_warm_up_that_fails_is_told_at_start() -> None:
    bench = Bench()
    bench.policy.answer = lambda chunk: 1 / 0  # type: ignore[assignment,return-value]
    with pytest.raises(InferenceError, match="warming up"):
        bench.start()
    assert bench.engine.state == "dead"


# --- what is executed -----------------------------------------------------------------------------------------------


def executes_every_action_once(chunks: int, seed: int) -> None:
    bench = Bench(spikes(seed), size=24, rehearsals=[3.0, 3.0, 0.15]).start()
    bench.tick_until(lambda: len(bench.asked) >= chunks)
    bench.engine.stop()
    assert bench.values == list(range(bench.executed))
    assert check_alignment(bench.asked, horizon=10) > 0.9 * chunks
    stats = bench.queue.stats()
    assert (stats["dropped_chunks"], stats["stale"]) == (0, 0)


def test_no_action_is_skipped_or_repeated_whatever_the_latency() -> None:
    executes_every_action_once(600, seed=1)


@pytest.mark.slow
def test_no_action_is_skipped_or_repeated_in_ten_thousand_chunks() -> None:
    executes_every_action_once(10_000, seed=2)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.floats(0.0, 1.6), min_size=1, max_size=20),
    st.integers(2, 24),
    st.integers(1, 12),
    st.lists(st.sampled_from(["tick", "tick", "tick", "reset", "pause"]), max_size=12),
)
def test_property_aligned_through_pauses_and_resets(
    latencies: list[float], size: int, horizon: int, script: list[str]
) -> None:
    bench = Bench(latencies, size=size, execution_horizon=horizon).start()
    for word in script:
        bench.tick(7)
        if word == "reset":
            bench.engine.reset()
        elif word == "pause":
            bench.engine.pause()
            bench.tick(3)
            bench.engine.resume()
    bench.tick(20)
    bench.engine.stop()
    assert bench.values == list(range(bench.executed))
    check_alignment(bench.asked, horizon)


def test_pause_drops_what_is_queued_and_computed_and_resume_begins_unguided() -> None:
    bench = Bench([0.3], size=16).start()
    bench.tick_until(lambda: len(bench.asked) == 3)
    bench.engine.pause()
    assert (bench.queue.depth(), bench.engine.state) == (0, "idle")
    calls = len(bench.asked)
    bench.tick(16)
    assert len(bench.asked) == calls
    assert bench.taken[-16:] == [None] * 16
    bench.engine.resume()
    bench.tick_until(lambda: len(bench.asked) == calls + 1)
    assert bench.asked[-1].guide is None
    bench.tick(10)
    assert bench.values == list(range(bench.executed))
    bench.engine.stop()


def test_a_new_instruction_leaves_nothing_of_the_old_one_and_no_guide() -> None:
    """The loop resets the engine when the task changes; the call that is running is answered for nothing."""
    bench = Bench([0.3], size=16).start()
    bench.tick_until(lambda: len(bench.asked) == 3)
    bench.task = "another"
    bench.engine.reset()
    before = len(bench.taken)
    bench.tick(20)
    after = [timed for timed in bench.taken[before:] if timed is not None]
    assert after
    assert {timed.task for timed in after} == {"another"}
    first = next(each for each in bench.asked if each.task == "another")
    assert first.guide is None
    assert bench.policy.log.count("reset") == 2
    assert bench.queue.stats()["other_epoch"] == 1
    assert bench.values == list(range(bench.executed))
    bench.engine.stop()


# --- errors ---------------------------------------------------------------------------------------------------------


def failing(bench: Bench, times: int) -> list[float]:
    """Make the next calls raise; when they did."""
    when: list[float] = []

    def answer(chunk: ActionChunk) -> ActionChunk:
        if len(when) < times:
            when.append(bench.clock.now())
            raise OSError("the accelerator is busy")
        return chunk

    bench.policy.answer = answer
    return when


def test_a_few_errors_are_survived_with_a_pause_between_them() -> None:
    bench = Bench([0.1], size=16).start()
    bench.tick(20)
    when = failing(bench, 3)
    bench.tick_until(lambda: bench.engine.state == "degraded")
    assert "accelerator" in str(bench.engine.error)
    bench.tick_until(lambda: bench.engine.state == "ready")
    assert bench.engine.error is None
    assert all(later - earlier >= 0.5 for earlier, later in itertools.pairwise(when))
    bench.tick(10)
    assert bench.values == list(range(bench.executed))
    assert bench.taken[-1] is not None
    bench.engine.stop()


def test_ten_errors_in_a_row_end_it_and_the_arm_only_held_meanwhile() -> None:
    bench = Bench([0.1], size=16).start()
    bench.tick(20)
    when = failing(bench, 1000)
    bench.tick_until(lambda: bench.engine.state == "dead")
    assert len(when) == 10
    assert isinstance(bench.engine.error, InferenceError)
    assert bench.values == list(range(bench.executed))
    assert bench.taken[-20:] == [None] * 20
    assert bench.engine.stats()["errors"] == 10
    bench.engine.stop()
    assert bench.engine.state == "dead"


def test_nan_in_a_guided_chunk_is_an_error_like_any_other() -> None:
    bench = Bench([0.1], size=16).start()
    bench.policy.answer = lambda chunk: dataclasses.replace(chunk, actions=chunk.actions * np.float32("nan"))
    bench.tick_until(lambda: bench.engine.state == "dead")
    assert "'pan.pos' at step 0" in str(bench.engine.error)
    assert bench.executed == 0
