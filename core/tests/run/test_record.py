"""`record` and `replay` on fakes: episodes, re-record, labels, resets, playing back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lerobot_core.fakes.storage import FakeStorage
from lerobot_core.strategies.episodes import EpisodeMachine
from lerobot_core.types import Event
from rig import session

QUICK = {"num_episodes": 2, "episode_time_s": 1.0, "reset_time_s": 0.5}


def record(script: str, **dataset: Any) -> Any:
    s = session(
        "record",
        "record",
        teleop={},
        operator={"scripted": {"type": "scripted", "script": script}} if script else {},
        dataset=QUICK | dataset,
    )
    s.run()
    return s


def lengths(s: Any) -> list[int]:
    return [len(episode.steps) for episode in s.parts.storage.episodes]


def test_episodes_by_time_with_resets_between() -> None:
    s = record("")
    assert lengths(s) == [30, 30]
    assert s.loop.counts.rows["human"] == 75


def test_next_ends_an_episode_and_the_reset() -> None:
    s = record("0.5 next; 0.7 next; 1.2 next")
    assert [round(n / 30, 1) for n in lengths(s)] == [0.5, 0.5]


def test_rerecord_throws_the_episode_away() -> None:
    s = record("0.5 rerecord")
    assert lengths(s) == [30, 30]
    assert s.parts.storage.stats()["discarded"] == 1


def test_labels_stay_with_their_episode() -> None:
    s = record("0.5 success; 2.0 failure")
    assert [episode.outcome for episode in s.parts.storage.episodes] == ["success", "failure"]


def test_stop_saves_the_episode_in_progress() -> None:
    s = record("0.5 stop")
    assert lengths(s) == [15]
    assert s.ending.outcome == "stopped"


def test_what_was_recorded_is_played_back(tmp_path: Path) -> None:
    s = session("record", "record", teleop={"seed": 3}, dataset=QUICK | {"root": tmp_path / "d", "num_episodes": 1})
    s.run()
    recorded = [step.sent for step in s.parts.storage.episodes[0].steps]
    again = session("replay", "replay", dataset={"root": tmp_path / "d"})
    steps: list[Any] = []
    again.steps = lambda: (
        *type(again).steps(again)[:-1],
        lambda: setattr(again.parts.strategy, "record", steps.append),
        again.run_loop,
    )
    assert again.run()["outcome"] == "done"
    played = [step.sent for step in steps][-len(recorded) :]
    worst = max(abs(a[key] - b[key]) for a, b in zip(recorded, played, strict=True) for key in a)
    assert worst < 0.5


def test_replay_of_an_episode_that_is_not_there(tmp_path: Path) -> None:
    session("record", "record", teleop={}, dataset=QUICK | {"root": tmp_path / "d", "num_episodes": 1}).run()
    s = session("replay", "replay", dataset={"root": tmp_path / "d"}, flags={"episode": 7})
    s.run()
    assert "--episode 0" in str(s.ending.error)


def test_a_dataset_that_refuses_says_so_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A storage that was never open has no figures: asking for them must not hide why it would not open."""
    session("record", "record", teleop={}, dataset=QUICK | {"root": tmp_path / "d"}).run()
    monkeypatch.setattr(FakeStorage, "stats", lambda self: pytest.fail("it was never open"))
    s = session("record", "record", teleop={}, dataset=QUICK | {"root": tmp_path / "d"})
    assert s.run()["dataset"] is None
    assert "--resume" in str(s.ending.error)


EVENTS = st.lists(
    st.tuples(
        st.floats(0, 0.5), st.sampled_from(["next", "rerecord", "discard", "success", "failure", "start", "pause"])
    ),
    max_size=60,
)


@given(EVENTS, st.integers(1, 4), st.floats(0.1, 3), st.floats(0, 2))
@settings(max_examples=200, deadline=None)
def test_the_machine_counts_saves_and_stops_at_the_last(
    events: list[Any], count: int, episode_s: float, reset_s: float
) -> None:
    machine, t, saves = EpisodeMachine(count, episode_s, reset_s), 0.0, 0
    for gap, name in events:
        t += gap
        before = machine.phase
        ending = machine.advance(t, (Event(name, t),))
        assert ending is None or before == "recording"
        if ending is not None:
            machine.take_outcome()
        saves += ending == "save"
        assert machine.saved == saves <= count
        assert (machine.phase == "done") == (saves == count)


@pytest.mark.parametrize(
    ("phase", "saved", "line"),
    [
        ("resetting", 1, "episode 1 saved; reset the scene, 2 to go"),
        ("done", 3, "episode 3 saved"),
        ("recording", 1, "episode 2 saved"),  # the end of the run saved what was in progress
    ],
)
def test_what_is_said_of_a_saved_episode(phase: Any, saved: int, line: str) -> None:
    assert EpisodeMachine(3, 1.0, 1.0, phase, saved).saved_line() == line
