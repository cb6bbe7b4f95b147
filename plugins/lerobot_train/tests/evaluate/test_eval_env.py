"""`lr eval --env` as a person types it, on the fake env."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import av
import pytest
from lerobot_core.errors import ConfigError, ContractError, InferenceError, UsageError, UserError
from lerobot_core.registry import Registry
from lerobot_train.evaluate.command import run

FAKE = "--policy fake --policy.joints slider,gripper --env fake --env.joints slider,gripper --env.max-steps 8"


def evaluated(capsys: Any, words: str, folder: Path) -> dict[str, Any]:
    assert run(shlex.split(f"{words} --output-dir {folder} --json"), Registry()) == 0
    return json.loads(capsys.readouterr().out.splitlines()[-1])  # type: ignore[no-any-return]


def test_figures_seeds_videos_and_a_file(capsys: Any, tmp_path: Path) -> None:
    found = evaluated(capsys, f"{FAKE} --episodes 3 --seed 40 --videos 2 --slots 1", tmp_path)
    assert (found["verb"], found["policy"], found["env"], found["seeds"]) == ("eval", "fake", "fake", [40, 41, 42])
    assert len(found["videos"]) == 2
    with av.open(found["videos"][1]) as film:
        assert sum(1 for _ in film.decode(video=0)) == 9  # what the episode began with, and its eight steps
    whole = json.loads((tmp_path / "eval.json").read_text())
    assert [each["steps"] for each in whole["attempts"]] == [8, 8, 8]


def test_in_processes_it_is_the_same(capsys: Any, tmp_path: Path) -> None:
    one = evaluated(capsys, f"{FAKE} --episodes 4 --videos 0 --slots 1", tmp_path)
    assert evaluated(capsys, f"{FAKE} --episodes 4 --videos 0 --slots 2", tmp_path) == one


def test_a_control_run_sees_nothing(capsys: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from lerobot_core.fakes.policy import FakePolicy

    seen: list[int] = []
    ask = FakePolicy.predict_chunk
    monkeypatch.setattr(
        FakePolicy, "predict_chunk", lambda self, obs, task, guide=None: seen.append(int(obs["front"].max())) or ask(self, obs, task)
    )  # fmt: skip
    evaluated(capsys, f"{FAKE} --episodes 1 --slots 1 --blank-images", tmp_path)
    assert set(seen) == {0}


def test_lines_for_a_person(capsys: Any, tmp_path: Path) -> None:
    assert run(shlex.split(f"{FAKE} --episodes 2 --slots 1 --output-dir {tmp_path}"), Registry()) == 0
    assert "0 of 2 succeeded: 0.0%" in capsys.readouterr().out


def test_what_was_found_before_a_failure_is_kept(capsys: Any, tmp_path: Path) -> None:
    words = f"{FAKE} --episodes 3 --slots 1 --policy.n-action-steps 8 --policy.fault raise --policy.fault-after 2"
    with pytest.raises(InferenceError, match="RuntimeError"):
        run(shlex.split(f"{words} --output-dir {tmp_path}"), Registry())
    assert len(json.loads((tmp_path / "eval.json").read_text())["attempts"]) == 2


@pytest.mark.parametrize(
    ("words", "error", "message"),
    [
        ("--policy fake", UsageError, "an env or a robot"),
        ("--policy fake --env fake --robot fake", UsageError, "both"),
        ("--env fake", UsageError, "needs a policy"),
        ("--policy fake --env fake --episods 3", UsageError, "--episodes"),
        ("--policy fake --env fake --slots 1 --policy.names a,b", ContractError, r"-a -b \+elbow_flex.pos"),
        ("--policy fake --env fake --slots 1 --policy.cameras front", ContractError, "front is 640x480x3"),
        ("--policy fake --env fake --slots 1 --policy.fps 10", ContractError, "trained at 10 Hz"),
        ("--policy fake --env fake --slots 1 --fps 10", ContractError, "30 steps a second"),
        ("--policy fake --env fake --slots 1 --processor.b blank --processor.b.cameras top", ConfigError, "no camera"),
        ("--policy fake --env fake --slots 1 --policy.fault nan", InferenceError, "gave nan"),
        ("--policy fake --env fak", UserError, "did you mean"),
    ],
)
def test_bad_input(words: str, error: type[UserError], message: str, tmp_path: Path) -> None:
    with pytest.raises(error, match=message):
        run(shlex.split(f"{words} --output-dir {tmp_path}"), Registry())


def test_help_shows_the_env(capsys: Any) -> None:
    assert run(["--env", "fake", "--help"], Registry()) == 0
    text = capsys.readouterr().out
    assert text.startswith("usage: lr eval")
    assert "--env.max-steps" in text
