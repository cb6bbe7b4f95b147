"""`lr eval --robot` as a person types it, on the fake arm and the real clock."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

from lerobot_core.registry import Registry
from lerobot_train.evaluate.command import run

QUICK = "--policy fake --robot fake_rig --strategy.episode-time-s 0.3 --strategy.reset-time-s 0 --episodes 2"


def evaluated(capsys: Any, words: str, folder: Path, code: int = 0) -> dict[str, Any]:
    assert run(shlex.split(f"{words} --output-dir {folder} --json"), Registry()) == code
    return json.loads(capsys.readouterr().out.splitlines()[-1])  # type: ignore[no-any-return]


def test_attempts_are_counted_by_the_run_itself(capsys: Any, tmp_path: Path) -> None:
    operator = "--operator scripted --operator.scripted.script '0.2 success'"
    found = evaluated(capsys, f"{QUICK} {operator}", tmp_path)
    assert (found["robot"], found["episodes"], found["successes"], found["seeds"]) == ("fake", 2, 1, [])
    assert found["returns"] == {"mean": None, "std": None}
    whole = json.loads((tmp_path / "eval.json").read_text())
    assert whole["run"]["strategy"] == "eval"
    assert whole["run"]["outcome"] == "done"
    assert [each["success"] for each in whole["attempts"]] == [True, False]


def test_a_policy_for_another_robot_is_refused_by_name(capsys: Any, tmp_path: Path) -> None:
    assert run(shlex.split(f"{QUICK} --policy.names a,b --output-dir {tmp_path} --json"), Registry()) == 1
    said = capsys.readouterr()
    assert "-a -b +elbow_flex.pos" in said.err
    assert json.loads(said.out)["episodes"] == 0
    assert not (tmp_path / "eval.json").exists()


def test_blank_images_is_a_processor_of_the_run(capsys: Any, tmp_path: Path) -> None:
    evaluated(capsys, f"{QUICK} --blank-images", tmp_path)
    found = run(shlex.split(f"{QUICK} --blank-images --camera.front none"), Registry())
    assert found == 2  # a control run that controls nothing is refused
    assert "no camera to blank" in capsys.readouterr().err
