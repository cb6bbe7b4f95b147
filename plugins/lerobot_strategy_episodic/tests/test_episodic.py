"""Episodes and resets: every key, every way between them, every way out."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from episodic_rig import FPS, Ran, run
from lerobot_core.conformance.strategy import StrategyConformance
from lerobot_core.fakes.joints import joint_features
from lerobot_core.fakes.teleoperator import FakeTeleoperator

JOINTS = joint_features()
APART = {"amplitude": 0.9, "seed": 7, "period_s": 1000.0}


class TestEpisodic(StrategyConformance):
    name = "episodic"


def speeding(ran: Ran) -> list[str]:
    return [
        f"{b.t - ran.steps[0].t:.2f} {key}"
        for a, b in pairwise(ran.steps)
        for key, feature in JOINTS.items()
        if abs(b.requested[key] - a.requested[key]) > (feature.max_rate or 0) / FPS + 1e-6
    ]


# --- episodes ---------------------------------------------------------------------------------------------------------


def test_episodes_by_time_with_resets_between() -> None:
    ran = run(reset_to_initial_position=False)
    assert ran.lengths == [30, 30]
    assert ran.stretches() == "p-p"
    assert (ran.session.ending.outcome, ran.session.ending.reason) == ("done", "done")


def test_an_episode_begins_with_the_policys_first_action() -> None:
    ran = run(policy={"latency_s": 0.7}, dataset={"num_episodes": 3})
    assert ran.lengths == [30, 30, 30]
    assert all(steps[0].source == "policy" for steps in ran.episodes)


def test_the_policy_begins_afresh_in_every_episode() -> None:
    ran = run()
    begin = ran.episodes[1][0]
    assert begin.timed is not None
    assert begin.t - begin.timed.time < 0.3
    assert begin.timed.time > ran.episodes[0][-1].t + 0.5


def test_next_ends_an_episode_and_a_reset() -> None:
    ran = run("0.5 next; 0.7 next; 1.3 next", teleop={}, dataset={"reset_time_s": 20.0})
    assert ran.lengths[0] == 15
    assert ran.session.ending.reason == "done"
    assert ran.steps[-1].t - ran.steps[0].t < 1.5


def test_rerecord_throws_the_episode_away_and_does_it_again() -> None:
    ran = run("0.5 rerecord")
    assert ran.lengths == [30, 30]
    assert ran.storage.stats()["discarded"] == 1


def test_labels_stay_with_their_episode() -> None:
    ran = run("0.5 success; 3.3 failure")
    assert ran.outcomes == ["success", "failure"]


def test_keys_before_the_first_row_change_nothing() -> None:
    ran = run("0.9 next; 0.95 rerecord", policy={"latency_s": 0.5}, dataset={"episode_time_s": 0.7}, teleop={})
    assert ran.lengths == [21, 21]
    ran = run("0.75 next; 1.2 next; 1.25 next; 1.3 rerecord", policy={"latency_s": 0.5}, teleop={})
    assert any("nothing was recorded" in text for text in ran.said)
    assert ran.session.ending.reason == "done"


def test_stop_saves_the_episode_in_progress() -> None:
    ran = run("0.5 stop")
    assert ran.lengths == [15]
    assert ran.session.ending.outcome == "stopped"


def test_stop_during_a_reset_saves_nothing_twice() -> None:
    ran = run("1.2 stop")
    assert ran.lengths == [30]


def test_pause_holds_and_goes_on_within_the_episode() -> None:
    ran = run("0.5 pause; 2.5 pause", dataset={"episode_time_s": 4.0, "num_episodes": 1})
    assert ran.stretches() == "p-p"
    assert ran.lengths == [120]


def test_a_failing_policy_still_saves_the_tail() -> None:
    ran = run(policy={"fault": "raise", "fault_after": 2}, dataset={"episode_time_s": 60.0})
    assert ran.session.ending.outcome == "failed"
    assert sum(ran.lengths) > 15


def test_a_full_disk_keeps_the_episodes_that_were_saved() -> None:
    ran = run(dataset={"fault": "full", "fault_after": 45})
    assert (ran.session.ending.outcome, ran.lengths[0]) == ("failed", 30)


def test_a_dataset_is_continued(tmp_path: Path) -> None:
    where = {"root": tmp_path / "d"}
    run(dataset=where)
    again = run(dataset=where | {"num_episodes": 1}, flags={"resume": True})
    assert again.lengths == [30, 30, 30]
    assert again.session.ending.reason == "done"


def test_a_push_happens_on_its_key_only(monkeypatch: pytest.MonkeyPatch) -> None:
    pushed: list[int] = []
    push = "lerobot_core.fakes.storage.FakeStorage.push"
    monkeypatch.setattr(push, lambda self, dry_run=False: pushed.append(len(self.episodes)) or "there")
    run()
    assert pushed == []
    run("1.3 push")
    assert pushed == [1]


# --- resets -----------------------------------------------------------------------------------------------------------


def test_without_a_teleoperator_the_arm_goes_back_to_where_it_began() -> None:
    ran = run(policy={"amplitude": 0.8, "period_s": 2.8}, dataset={"reset_time_s": 0.0})
    assert ran.stretches() == "pgp"
    home = ran.steps[0].observation
    away = ran.episodes[0][-1].sent
    assert abs(away["shoulder_pan.pos"] - home["shoulder_pan.pos"]) > 30
    last = [step for step in ran.steps if step.source == "goto"][-1]
    assert last.sent == pytest.approx({key: home[key] for key in JOINTS}, abs=0.5)
    on_the_way = {f"{step.t - ran.steps[0].t:.2f}" for step in ran.steps if step.source == "goto"}
    assert not on_the_way & {place.split()[0] for place in speeding(ran)}


def test_a_key_does_not_begin_an_episode_before_the_arm_is_home() -> None:
    ran = run("0.9 next; 1.2 next", policy={"amplitude": 0.8, "period_s": 2.8}, dataset={"reset_time_s": 20.0})
    assert ran.steps[-1].t - ran.steps[0].t < 6.0
    back = ran.episodes[1][0].observation
    assert back["shoulder_pan.pos"] == pytest.approx(ran.steps[0].observation["shoulder_pan.pos"], abs=1.0)


@pytest.mark.parametrize("actuated", [False, True])
def test_with_a_teleoperator_the_person_resets(actuated: bool) -> None:
    ran = run(teleop=APART | {"actuated": actuated}, dataset={"reset_time_s": 3.0, "episode_time_s": 2.0})
    assert ran.stretches() == "php"
    assert ran.lengths == [60, 60]
    reset = [step for step in ran.steps if step.source == "human"]
    assert reset[0].t - ran.episodes[0][-1].t < 0.1
    assert all(not step.filtered for step in reset)
    assert [place for place in speeding(ran) if float(place.split()[0]) < 5.0] == []


def test_without_smooth_handover_the_filter_alone_bounds_it() -> None:
    ran = run(teleop=APART, smooth_handover=False, dataset={"reset_time_s": 3.0})
    assert any(step.filtered for step in ran.steps if step.source == "human")


@pytest.mark.parametrize("mirror", [False, True])
def test_an_actuated_leader_follows_during_episodes(mirror: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    for name in ("engage", "release"):
        original = getattr(FakeTeleoperator, name)
        monkeypatch.setattr(FakeTeleoperator, name, lambda self, n=name, o=original: (told.append(n), o(self))[1])
    run(teleop={"actuated": True}, smooth_leader_to_follower_handover=mirror)
    assert told == ["release", *(["engage", "release"] * 2 if mirror else [])]


def test_simulated_scenes_end_episodes_and_reset_themselves() -> None:
    ran = run(scene_after=0.3, dataset={"episode_time_s": 20.0})
    assert ran.outcomes == ["success", "success"]
    assert len(ran.resets) == 1
    assert all(len(steps) < 45 for steps in ran.episodes)
