"""The queue: alignment by executed actions, epochs, age, names."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule
from lerobot_core.action_queue import REMEMBERED, ActionQueue
from lerobot_core.errors import ContractError, InferenceError
from lerobot_core.types import ActionChunk, Mark


def chunk(values: list[float], seq: int = 0, time: float = 0.0, names: tuple[str, ...] = ("a", "b")) -> ActionChunk:
    """`names[0]` carries the values, the others their negatives; `model` is ten times the values."""
    column = np.array(values, dtype=np.float32)
    actions = np.stack([column] + [-column] * (len(names) - 1), axis=1)
    return ActionChunk(names, actions, 10 * column[:, None], time, "task", seq)


def drain(queue: ActionQueue, t: float = 0.0) -> list[float]:
    taken = []
    while (timed := queue.next(t)) is not None:
        taken.append(timed.action["a"])
    return taken


def pop(queue: ActionQueue, count: int) -> None:
    for _ in range(count):
        assert queue.next(0.0) is not None


def test_an_action_says_where_it_came_from() -> None:
    queue = ActionQueue(0.1)
    queue.push(chunk([1.0, 2.0], seq=7, time=3.0), queue.mark())
    pop(queue, 1)
    timed = queue.next(3.0)
    assert timed is not None
    assert timed.action == {"a": 2.0, "b": -2.0}
    assert (timed.step, timed.seq, timed.time, timed.task) == (1, 7, 3.0, "task")
    assert queue.next(3.0) is None


def test_replace_starts_at_the_number_of_actions_executed_since_the_mark() -> None:
    queue = ActionQueue(0.1)
    queue.push(chunk([0, 1, 2, 3, 4, 5]), queue.mark())
    mark = queue.mark()
    pop(queue, 3)
    assert queue.push(chunk([10, 11, 12, 13, 14, 15]), mark)
    assert drain(queue) == [13, 14, 15]


def test_held_periods_do_not_count() -> None:
    queue = ActionQueue(0.1)
    mark = queue.mark()
    for _ in range(60):
        assert queue.next(0.0) is None
    queue.push(chunk([0, 1, 2]), mark)
    assert drain(queue) == [0, 1, 2]


def test_append_keeps_steps_aligned() -> None:
    queue = ActionQueue(0.1)
    queue.push(chunk([0, 1, 2, 3]), queue.mark())
    mark = queue.mark()
    pop(queue, 1)
    queue.push(chunk([10, 11, 12, 13, 14, 15]), mark, "append")
    assert drain(queue) == [1, 2, 3, 14, 15]


def test_n_keeps_the_first_actions_only() -> None:
    queue = ActionQueue(0.1)
    queue.push(chunk([0, 1, 2, 3]), queue.mark(), n=2)
    assert drain(queue) == [0, 1]


def test_ensemble_weighs_each_step_oldest_first() -> None:
    queue, m = ActionQueue(0.1), 0.5
    queue.push(chunk([0, 0, 0]), queue.mark(), "ensemble", coefficient=m)
    queue.push(chunk([1, 1, 1, 1]), queue.mark(), "ensemble", coefficient=m)
    pop(queue, 1)
    queue.push(chunk([2, 2, 2, 2]), queue.mark(), "ensemble", coefficient=m)
    w = [math.exp(-m * i) for i in range(3)]
    three = (0 * w[0] + 1 * w[1] + 2 * w[2]) / sum(w)
    two = (1 * w[0] + 2 * w[1]) / (w[0] + w[1])
    assert drain(queue) == pytest.approx([three, three, two, 2.0])


def test_ensemble_aligns_a_late_prediction_by_step() -> None:
    queue = ActionQueue(0.1)
    queue.push(chunk([0, 1, 2, 3]), queue.mark(), "ensemble")
    mark = queue.mark()
    pop(queue, 2)
    queue.push(chunk([0, 1, 2, 3]), mark, "ensemble")
    assert drain(queue) == [2, 3]


def test_a_chunk_that_is_over_when_it_arrives_is_dropped() -> None:
    queue = ActionQueue(0.1)
    queue.push(chunk([0, 1, 2, 3]), queue.mark())
    mark = queue.mark()
    pop(queue, 2)
    assert not queue.push(chunk([9, 9]), mark)
    assert drain(queue) == [2, 3]
    assert queue.stats()["late"] == queue.stats()["dropped_chunks"] == 1


def test_clear_drops_what_is_still_being_computed() -> None:
    queue = ActionQueue(0.1)
    queue.push(chunk([0, 1]), queue.mark())
    mark = queue.mark()
    queue.clear()
    assert queue.depth() == 0
    assert not queue.push(chunk([5]), mark)
    assert queue.stats()["other_epoch"] == 1
    assert queue.push(chunk([6]), queue.mark())


def test_a_mark_from_elsewhere_is_dropped() -> None:
    queue = ActionQueue(0.1)
    assert not queue.push(chunk([1, 2, 3]), Mark(0, 2))
    assert queue.stats()["other_epoch"] == 1


def test_an_answer_to_an_older_observation_is_dropped() -> None:
    queue = ActionQueue(0.1)
    queue.push(chunk([0, 1, 2, 3]), queue.mark())
    old = queue.mark()
    pop(queue, 1)
    queue.push(chunk([11, 12, 13], time=2.0), queue.mark())
    assert not queue.push(chunk([20, 21, 22]), old)
    assert not queue.push(chunk([30, 31, 32], time=1.0), queue.mark())
    assert queue.stats()["out_of_order"] == 2
    assert drain(queue) == [11, 12, 13]


def test_too_old_actions_are_dropped_unexecuted() -> None:
    queue = ActionQueue(0.1)
    queue.push(chunk([0, 1, 2], time=10.0), queue.mark())
    assert queue.next(11.29) is not None
    assert queue.next(11.31) is None
    assert (queue.depth(), queue.stats()["stale"], queue.stats()["executed"]) == (0, 2, 1)


def test_max_age_overrides_the_chunks_duration() -> None:
    queue = ActionQueue(0.1, max_age=0.05)
    queue.push(chunk([0, 1, 2]), queue.mark())
    assert queue.next(0.06) is None


def test_another_order_of_names_is_sorted_out() -> None:
    queue = ActionQueue(0.1, names=("b", "a"))
    queue.push(chunk([1.0]), queue.mark())
    names, actions, _ = queue.leftover(1)
    assert (names, actions.tolist()) == (("b", "a"), [[-1.0, 1.0]])
    timed = queue.next(0.0)
    assert timed is not None
    assert list(timed.action.items()) == [("b", -1.0), ("a", 1.0)]


def test_another_set_of_names_is_refused_with_a_diff() -> None:
    queue = ActionQueue(0.1, names=("a", "c"))
    with pytest.raises(ContractError) as caught:
        queue.push(chunk([1.0]), queue.mark())
    assert caught.value.why == "missing: c; unknown: b"


def test_a_name_that_comes_twice_is_refused() -> None:
    queue = ActionQueue(0.1, names=("a", "b"))
    with pytest.raises(ContractError, match="twice"):
        queue.push(chunk([1.0], names=("a", "b", "b")), queue.mark())


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_nan_is_refused_naming_key_and_step(value: float) -> None:
    queue = ActionQueue(0.1)
    broken = chunk([0, 1, 2])
    broken.actions[2, 1] = value
    with pytest.raises(InferenceError, match=r"'b' at step 2"):
        queue.push(broken, queue.mark())
    assert queue.depth() == 0


@pytest.mark.parametrize(
    "wrong",
    [
        ActionChunk(("a",), np.zeros((3, 2), np.float32)),
        ActionChunk(("a",), np.zeros(3, np.float32)),
        ActionChunk(("a",), np.zeros((3, 1), np.float32), np.zeros((2, 1), np.float32)),
    ],
)
def test_arrays_of_another_shape_are_refused(wrong: ActionChunk) -> None:
    queue = ActionQueue(0.1)
    with pytest.raises(ContractError, match="shape"):
        queue.push(wrong, queue.mark())


def test_an_empty_chunk_is_dropped() -> None:
    queue = ActionQueue(0.1)
    assert not queue.push(chunk([]), queue.mark())


def test_leftover_is_what_comes_next_never_padded() -> None:
    queue = ActionQueue(0.1)
    queue.push(chunk([0, 1, 2]), queue.mark())
    pop(queue, 1)
    names, actions, model = queue.leftover(10)
    assert names == ("a", "b")
    assert actions.dtype == np.float32
    assert actions.tolist() == [[1, -1], [2, -2]]
    assert model is not None
    assert model.tolist() == [[10], [20]]
    assert queue.leftover(1)[1].shape == (1, 2)


def test_leftover_since_a_mark_begins_with_what_was_executed_after_it() -> None:
    queue = ActionQueue(0.1)
    queue.push(chunk([0, 1, 2, 3]), queue.mark())
    pop(queue, 1)
    mark = queue.mark()
    pop(queue, 2)
    assert queue.leftover(2, mark)[1][:, 0].tolist() == [1, 2]
    _, actions, model = queue.leftover(9, mark)
    assert actions[:, 0].tolist() == [1, 2, 3]
    assert model is not None
    assert model.tolist() == [[10], [20], [30]]


def test_leftover_since_a_mark_of_another_epoch_or_of_long_ago_is_none() -> None:
    queue = ActionQueue(0.1)
    queue.push(chunk([0, 1]), queue.mark())
    old = queue.mark()
    queue.clear()
    queue.push(chunk([float(i) for i in range(REMEMBERED + 2)]), queue.mark())
    assert queue.leftover(5, old)[1].shape == (0, 2)
    mark = queue.mark()
    pop(queue, REMEMBERED)
    assert queue.leftover(1, mark)[1][:, 0].tolist() == [0]
    pop(queue, 1)
    assert queue.leftover(1, mark)[1].shape == (0, 2)


def test_leftover_of_nothing() -> None:
    queue = ActionQueue(0.1, names=("a", "b"))
    _, actions, model = queue.leftover(5)
    assert (actions.shape, model) == ((0, 2), None)


def test_an_average_has_no_model_space_actions() -> None:
    queue = ActionQueue(0.1)
    queue.push(chunk([0, 1]), queue.mark(), "ensemble")
    queue.push(chunk([0, 1]), queue.mark(), "ensemble")
    assert queue.leftover(2)[2] is None


def test_stats_count_delays_and_seams() -> None:
    queue = ActionQueue(0.1)
    queue.push(chunk([0, 1, 2, 3, 4, 5]), queue.mark())
    for executed in (1, 3, 1):
        mark = queue.mark()
        pop(queue, executed)
        queue.push(chunk([0, 1, 2, 3, 4, 5]), mark)
    stats = queue.stats()
    assert stats["delay_steps"] == {"p50": 1, "max": 3}
    assert (stats["chunks"], stats["seams"], stats["executed"]) == (4, 3, 5)


class QueueAgainstCounting(RuleBasedStateMachine):
    """A robot that executes action number n as its n-th: any order of calls must come out as 0, 1, 2, …"""

    def __init__(self) -> None:
        super().__init__()
        self.queue = ActionQueue(0.1, max_age=math.inf)
        self.executed = 0
        self.flying: list[tuple[Mark, int]] = []

    @rule()
    def observe(self) -> None:
        self.flying.append((self.queue.mark(), self.executed))

    @precondition(lambda self: self.flying)
    @rule(data=st.data(), length=st.integers(0, 9), mode=st.sampled_from(["replace", "append", "ensemble"]))
    def answer(self, data: st.DataObject, length: int, mode: str) -> None:
        index = data.draw(st.integers(0, len(self.flying) - 1))
        mark, count = self.flying.pop(index)
        self.queue.push(chunk([float(count + i) for i in range(length)]), mark, mode)  # type: ignore[arg-type]

    @rule()
    def tick(self) -> None:
        timed = self.queue.next(0.0)
        if timed is not None:
            assert timed.action["a"] == pytest.approx(self.executed)
            self.executed += 1

    @rule()
    def clear(self) -> None:
        self.queue.clear()


QueueAgainstCounting.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestQueueAgainstCounting = QueueAgainstCounting.TestCase
