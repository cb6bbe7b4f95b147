"""Episodes over slots: their queues, their seeds, one call for all that need a chunk."""

from __future__ import annotations

from typing import Any

import pytest
from lerobot_core.errors import InferenceError
from lerobot_core.fakes.env import FakeEnv
from lerobot_train.evaluate.play import play
from lerobot_train.evaluate.result import Episode
from reacher import QUICK, Batching, Reacher, slots

SEEDS = range(100, 107)


def played(policy: Any, count: int, **options: Any) -> dict[int, Episode]:
    return dict(play(slots(policy, count), SEEDS, **options))


def test_a_policy_that_knows_how_succeeds() -> None:
    found = played(Reacher(FakeEnv(QUICK)), 2)
    assert sorted(found) == [*range(7)]
    assert [found[i].seed for i in range(7)] == [*SEEDS]
    assert all(each.success for each in found.values())


def test_one_that_does_not_runs_out_of_time() -> None:
    found = played(Reacher(FakeEnv(QUICK), right=False), 1)
    failed = [each for each in found.values() if not each.success]
    assert failed
    assert {each.steps for each in failed} == {QUICK.max_steps}


@pytest.mark.parametrize("ensemble", [None, 0.01])
def test_the_number_of_slots_changes_nothing(ensemble: float | None) -> None:
    alone = played(Reacher(FakeEnv(QUICK), ensemble=ensemble), 1)
    assert played(Reacher(FakeEnv(QUICK), ensemble=ensemble), 3) == alone
    assert played(Reacher(FakeEnv(QUICK), ensemble=ensemble), 20) == alone


def test_slots_that_share_a_policy_are_asked_together() -> None:
    policy = Batching(FakeEnv(QUICK))
    played(policy, 3)
    assert policy.batches[0] == 3
    assert max(policy.batches) == 3


def test_only_the_steps_a_policy_wants_are_executed() -> None:
    often, rarely = Batching(FakeEnv(QUICK), n=1), Batching(FakeEnv(QUICK), n=10)
    steps = sum(each.steps or 0 for each in played(often, 1).values())
    assert len(often.batches) == steps
    played(rarely, 1)
    assert len(rarely.batches) < steps / 4


def test_ensembling_asks_at_every_step() -> None:
    policy = Batching(FakeEnv(QUICK), ensemble=0.1)
    steps = sum(each.steps or 0 for each in played(policy, 1).values())
    assert len(policy.batches) == steps


def test_stopped_in_between_keeps_what_is_over() -> None:
    found: dict[int, Episode] = {}
    for index, episode in play(slots(Reacher(FakeEnv(QUICK)), 2), SEEDS, stopped=lambda: len(found) >= 3):
        found[index] = episode
    assert 3 <= len(found) < 7


def test_a_policy_that_raises_is_named() -> None:
    policy = Reacher(FakeEnv(QUICK))
    policy.predict_chunk = lambda *_: 1 / 0  # type: ignore[method-assign,assign,return-value]
    with pytest.raises(InferenceError, match="ZeroDivisionError"):
        played(policy, 1)
