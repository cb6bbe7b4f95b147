"""Corrections or whole attempts, rotation, discarding, counting, publishing, continuing."""

from __future__ import annotations

from pathlib import Path

import pytest
from dagger_rig import FPS, Ran, run


def intervals(ran: Ran) -> list[list[int]]:
    return [[step.index for step in steps] for steps in ran.episodes]


def without_gaps(indices: list[int]) -> bool:
    return indices == list(range(indices[0], indices[0] + len(indices)))


@pytest.mark.parametrize("multiplier", [1, 3])
@pytest.mark.parametrize("whole", [False, True])
def test_every_human_frame_is_a_row(multiplier: int, whole: bool) -> None:
    script = "1 takeover; 2 takeover; 3 pause; 3.5 takeover; 4.5 takeover; 5 pause"
    ran = run(script, record_autonomous=whole, flags={"interpolation": multiplier})
    human = [step.index for step in ran.steps if step.source == "human"]
    assert [step.index for steps in ran.episodes for step in steps if step.intervention] == human
    assert len(human) == 2 * FPS


def test_each_correction_is_an_episode_of_human_rows() -> None:
    ran = run("1 takeover; 2 takeover; 3 takeover; 4.5 takeover", duration=6.0)
    assert ran.lengths == [30, 45]
    assert all(step.intervention for steps in ran.episodes for step in steps)


def test_a_whole_attempt_has_every_row_and_its_label() -> None:
    ran = run("1 takeover; 2 takeover; 3 success; 3.5 next; 4.5 start; 5 failure; 5.5 next", record_autonomous=True)
    assert ran.outcomes == ["success", "failure"]
    assert all(without_gaps(indices) for indices in intervals(ran))
    assert [step.source for step in ran.episodes[0]].count("human") == 30
    assert ran.episodes[0][0].source == "policy"
    between = set(range(ran.episodes[0][-1].index + 1, ran.episodes[1][0].index))
    assert len(between) >= 30
    assert all(step.source == "hold" for step in ran.steps if step.index in between)


def test_a_pause_within_an_attempt_is_part_of_it() -> None:
    ran = run("1 pause; 2 pause; 3 stop", record_autonomous=True)
    (indices,) = intervals(ran)
    assert without_gaps(indices)
    assert [step.source for step in ran.episodes[0]].count("hold") >= 30


def test_rotation_loses_no_row_and_never_cuts_a_correction() -> None:
    ran = run("1 takeover; 4 takeover", duration=6.0, record_autonomous=True, dataset={"rotate_rows": 40})
    rows = [index for indices in intervals(ran) for index in indices]
    assert without_gaps(rows)
    whole = next(steps for steps in ran.episodes if any(step.intervention for step in steps))
    assert sum(step.intervention for step in whole) == 3 * FPS
    assert len(ran.lengths) >= 3


def test_an_attempt_is_cut_at_the_target_size() -> None:
    # Without a camera there is no file to fill: 300 s.
    ran = run("1 takeover", duration=2.0, record_autonomous=True)
    assert ran.session.parts.strategy._limit == 300 * FPS  # type: ignore[attr-defined]


@pytest.mark.parametrize("whole", [False, True])
def test_as_many_episodes_as_asked_for(whole: bool) -> None:
    script = "; ".join(f"{t} takeover; {t}.5 takeover; {t}.6 next; {t}.8 start" for t in range(1, 9))
    ran = run(script, duration=20.0, num_episodes=3, record_autonomous=whole)
    assert len(ran.lengths) == 3
    assert (ran.session.ending.outcome, ran.session.ending.reason) == ("done", "done")


@pytest.mark.parametrize("whole", [False, True])
def test_the_dataset_says_how_many_when_the_strategy_does_not(whole: bool) -> None:
    script = "1 takeover; 2 takeover; 2.5 next; 3 start; 4 takeover; 5 takeover; 6 next"
    ran = run(script, duration=20.0, dataset={"num_episodes": 2}, record_autonomous=whole)
    assert (len(ran.lengths), ran.session.ending.outcome) == (2, "done")


def test_a_correction_of_one_frame() -> None:
    ran = run("1 takeover; 1.01 takeover; 2 stop")
    assert ran.lengths == [1]
    assert ran.episodes[0][0].intervention


@pytest.mark.parametrize("whole", [False, True])
def test_saving_while_nothing_was_recorded_goes_on(whole: bool) -> None:
    ran = run("1 next; 2 save; 3 start; 4 stop", record_autonomous=whole)
    assert any("nothing was saved" in text for text in ran.said)
    assert ran.session.ending.reason == "operator"
    assert ran.steps[-1].t - ran.steps[0].t > 3.9


def test_save_cuts_and_the_person_drives_on() -> None:
    ran = run("1 takeover; 2 save; 3 takeover; 4 stop")
    assert ran.lengths == [30, 30]


def test_a_bad_correction_is_forgotten() -> None:
    ran = run("1 takeover; 2 discard; 3 start; 4 takeover; 5 takeover", duration=6.0)
    assert ran.lengths == [30]
    assert ran.storage.stats()["discarded"] == 1


def test_a_correction_begins_again() -> None:
    ran = run("1 takeover; 2 rerecord; 3.5 takeover; 4 stop")
    assert ran.lengths == [45]
    assert ran.stretches() == "php"


@pytest.mark.parametrize("key", ["discard", "rerecord"])
def test_a_bad_attempt_is_forgotten(key: str) -> None:
    ran = run(f"1 takeover; 2 {key}; 3 start; 4 success; 5 next", record_autonomous=True)
    assert ran.outcomes == ["success"]
    assert ran.storage.stats()["discarded"] == 1
    assert ran.stretches() == "ph-p-"


def test_discarding_nothing_says_so() -> None:
    assert any("nothing to discard" in text for text in run("1 discard; 2 stop").said)


@pytest.mark.parametrize("whole", [False, True])
def test_the_tail_is_kept_when_the_policy_fails(whole: bool) -> None:
    ran = run(
        "1 takeover; 2 takeover", duration=60.0, policy={"fault": "raise", "fault_after": 4}, record_autonomous=whole
    )
    assert ran.session.ending.outcome == "failed"
    assert sum(ran.lengths) >= 30
    assert not ran.storage.unsaved


def test_the_tail_is_kept_when_the_disk_is_full() -> None:
    ran = run("1 takeover; 2 takeover; 3 takeover", dataset={"fault": "full", "fault_after": 45})
    assert (ran.session.ending.outcome, ran.lengths[0]) == ("failed", 30)


def test_simulated_attempts_end_and_begin_by_themselves() -> None:
    ran = run("1 takeover; 1.5 takeover", duration=8.0, record_autonomous=True, scene_after=2.0)
    assert set(ran.outcomes[:-1]) == {"success"}
    assert len(ran.outcomes) >= 3
    assert "-" not in ran.stretches()


def test_a_simulated_success_waits_for_the_end_of_a_correction() -> None:
    ran = run("1 takeover; 4 takeover", duration=5.0, record_autonomous=True, scene_after=2.0)
    assert ran.outcomes[0] == "success"
    assert sum(step.intervention for step in ran.episodes[0]) == 3 * FPS


def test_nothing_is_published_unless_asked(pushed: list[int]) -> None:
    run("1 takeover; 2 takeover; 3 takeover; 4 takeover")
    assert pushed == []


def test_publishing_on_a_key_and_every_n_episodes(pushed: list[int]) -> None:
    run("1 takeover; 2 takeover; 3 push; 4 stop")
    assert pushed == [1]
    run("1 takeover; 2 takeover; 2.5 takeover; 3 takeover; 4 takeover; 5 takeover", upload_every_n_episodes=2)
    assert pushed == [1, 2]


@pytest.fixture
def pushed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many episodes were there at each push."""
    calls: list[int] = []
    push = "lerobot_core.fakes.storage.FakeStorage.push"
    monkeypatch.setattr(push, lambda self, dry_run=False: calls.append(len(self.episodes)) or "there")
    return calls


def test_a_dataset_is_continued(tmp_path: Path) -> None:
    where = {"root": tmp_path / "d"}
    assert run("1 takeover; 2 takeover", dataset=where).lengths == [30]
    again = run("1 takeover; 1.5 takeover", dataset=where, flags={"resume": True})
    assert again.lengths == [30, 15]
