"""Figures and JSON of an evaluation."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lerobot_train.evaluate.result import Episode, Result, wilson

KEYS = ["schema", "verb", "policy", "env", "episodes", "successes", "rate", "ci95", "returns", "seeds", "videos"]


@pytest.mark.parametrize(
    ("won", "tried", "low", "high"),
    [(8, 10, 0.4901624, 0.9433178), (0, 10, 0.0, 0.2775328), (50, 50, 0.9286525, 1.0), (0, 0, 0.0, 1.0)],
)
def test_wilson_as_tabulated(won: int, tried: int, low: float, high: float) -> None:
    assert wilson(won, tried) == pytest.approx((low, high), abs=1e-6)


@given(st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
@settings(deadline=None)
def test_the_interval_holds_the_rate(found: tuple[int, int]) -> None:
    won, tried = found
    low, high = wilson(won, tried)
    assert 0.0 <= low <= won / tried <= high <= 1.0


def test_json_has_the_keys_of_the_contract() -> None:
    episodes = [Episode(7, True, 1.0, 10, 1.0), Episode(8, False, 3.0, 20, 2.0)]
    found = Result("runs/act", "env", "pusht", episodes, ["a.mp4"]).as_json()
    assert list(found) == KEYS
    assert (found["episodes"], found["successes"], found["rate"], found["seeds"]) == (2, 1, 0.5, [7, 8])
    assert found["returns"] == {"mean": 2.0, "std": 1.0}


def test_a_robot_has_no_returns_and_a_real_scene_no_seeds() -> None:
    found = Result("demo", "robot", "so100_follower", [Episode(None, True, seconds=3.0)]).as_json()
    assert (found["robot"], found["returns"], found["seeds"]) == ("so100_follower", {"mean": None, "std": None}, [])


def test_nothing_finished_is_no_rate() -> None:
    result = Result("demo", "env", "pusht")
    assert result.as_json()["rate"] is None
    assert result.lines() == ["no episode was finished"]


def test_the_file_has_every_attempt(tmp_path: Path) -> None:
    path = Result("p", "env", "pusht", [Episode(3, True, 0.5, 4, 0.4)]).write(tmp_path / "deep" / "er")
    assert json.loads(path.read_text())["attempts"] == [
        {"seed": 3, "success": True, "return": 0.5, "steps": 4, "seconds": 0.4}
    ]
