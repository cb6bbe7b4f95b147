"""Every transition: which key leads where, what the engine and the rows make of it."""

from __future__ import annotations

import pytest
from dagger_rig import run
from lerobot_core.contracts.operator import EVENTS
from lerobot_strategy_dagger.states import Driver, State

A, P, C = State.AUTONOMOUS, State.PAUSED, State.CORRECTING
MOVES = {
    (A, "pause"): P, (A, "takeover"): C,
    (P, "pause"): A, (P, "start"): A, (P, "takeover"): C,
    (C, "pause"): P, (C, "discard"): P, (C, "takeover"): A,
}  # fmt: skip


@pytest.mark.parametrize("state", list(State))
@pytest.mark.parametrize("event", EVENTS)
def test_every_event_in_every_state(state: State, event: str) -> None:
    driver = Driver()
    driver.enter(state)
    assert driver.after(event) is MOVES.get((state, event))


def test_a_correction_gives_the_arm_back_to_whoever_had_it() -> None:
    driver = Driver()
    for before in (A, P):
        driver.enter(before)
        driver.enter(C)
        assert driver.after("takeover") is before


@pytest.mark.parametrize(
    ("script", "stretches"),
    [
        ("1 takeover; 2 takeover", "php"),
        ("1 pause; 2 pause", "p-p"),
        ("1 pause; 2 takeover; 3 takeover; 4 pause", "p-h-p"),
        ("1 takeover; 2 pause; 3 pause", "ph-p"),
        ("1 takeover; 2 discard; 3 start", "ph-p"),
        ("1 takeover; 2 next; 3 takeover; 4 takeover", "ph-h-"),
        ("1 rerecord; 2 save; 3 start", "p"),
        ("1 takeover; 1 takeover; 2 stop", "p"),
    ],
)
def test_stretches(script: str, stretches: str) -> None:
    assert run(script, duration=5.0).stretches() == stretches


def test_the_engine_rests_while_a_person_drives_and_begins_afresh() -> None:
    ran = run("1 takeover; 3 takeover", duration=5.0)
    assert {step.source for step in ran.steps if 1.05 < step.t - ran.steps[0].t < 2.95} == {"human"}
    after = next(step for step in ran.steps if step.t - ran.steps[0].t > 3.0 and step.source == "policy")
    assert after.timed is not None
    assert after.timed.time - ran.steps[0].t > 2.99


def test_the_labels_of_a_correction() -> None:
    ran = run(
        "1 takeover; 1.5 failure; 1.6 success; 2 takeover; 3 takeover; 3.5 takeover; 4 takeover; 4.2 failure",
        duration=5.0,
    )
    assert ran.outcomes == ["success", "none", "failure"]


def test_a_label_without_an_episode_says_so() -> None:
    ran = run("1 success", duration=2.0)
    assert any("nothing to label" in text for text in ran.said)


def test_task_and_stop_are_the_runs_own() -> None:
    ran = run("1 task fold it; 2 stop", duration=9.0)
    assert ran.steps[-1].task == "fold it"
    assert ran.session.ending.outcome == "stopped"
