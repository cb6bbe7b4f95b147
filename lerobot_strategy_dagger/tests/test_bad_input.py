"""What is refused, before anything moves, and what it says."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from dagger_rig import Ran, run
from lerobot_core.config.resolve import resolve_run
from lerobot_core.errors import UserError
from lerobot_core.registry import Registry


def refused(ran: Ran) -> str:
    """The error, after making sure that the arm never moved."""
    assert ran.session.ending.outcome == "failed"
    robot = ran.session._parts.robot if ran.session._parts is not None else None
    assert robot is None or all(call.name != "engage" for call in robot.calls)  # type: ignore[attr-defined]
    return str(ran.session.ending.error)


@pytest.mark.parametrize(
    ("section", "fix"),
    [("teleop", "--teleop"), ("dataset", "--dataset.root"), ("operator", "--operator"), ("policy", "--policy")],
)
def test_without_what_it_needs(section: str, fix: str) -> None:
    assert fix in refused(run(without=(section,)))


def test_everything_that_is_missing_is_said_at_once() -> None:
    error = refused(run(without=("teleop", "dataset", "operator", "policy")))
    assert "4 problems" in error


def test_rows_that_would_not_say_who_acted() -> None:
    assert "intervention" in refused(run(dataset={"extras": "none"}))


def test_a_teleoperator_for_another_robot_is_shown_as_a_difference() -> None:
    error = refused(run(teleop={"joints": ("pan", "gripper")}))
    assert "+shoulder_pan.pos" in error
    assert "-pan.pos" in error


def test_a_dataset_with_other_features_is_not_continued(tmp_path: Path) -> None:
    where: dict[str, Any] = {"dataset": {"root": tmp_path / "d"}}
    assert run("1 takeover; 2 takeover", **where).lengths == [30]
    error = refused(run(joints=("pan", "gripper"), flags={"resume": True}, **where))
    assert "other features" in error


def test_an_existing_dataset_needs_resume(tmp_path: Path) -> None:
    where: dict[str, Any] = {"dataset": {"root": tmp_path / "d"}}
    run("1 takeover; 2 takeover", **where)
    assert "--resume" in refused(run(**where))


def resolved(*argv: str) -> Any:
    base = [
        "--robot",
        "fake",
        "--teleop",
        "fake",
        "--policy",
        "fake",
        "--dataset.type",
        "fake",
        "--dataset.root",
        "out",
    ]
    return resolve_run("rollout", [*base, *argv], Registry(), {})


@pytest.mark.parametrize(
    "argv", [["--strategy.num-episodes", "0"], ["--strategy.record-autonomus"], ["--strategy.clutch=perhaps"]]
)
def test_options_that_make_no_sense(argv: list[str]) -> None:
    with pytest.raises(UserError) as caught:
        resolved("--strategy", "dagger", *argv)
    assert argv[0].partition("=")[0] in str(caught.value)


def test_the_peers_spellings() -> None:
    """LeRobot's flags of this strategy, with their defaults where they mean the same."""
    flags = [
        "--strategy.type=dagger", "--strategy.num_episodes=20", "--strategy.record_autonomous=true",
        "--strategy.upload_every_n_episodes=5", "--strategy.target_video_file_size_mb=100",
        "--strategy.smooth_handover=false", "--strategy.input_device=keyboard",
        "--strategy.keyboard.pause_resume=p", "--strategy.keyboard.correction=t", "--strategy.keyboard.upload=u",
    ]  # fmt: skip
    config = resolved(*flags).config.strategy.config
    assert (config.num_episodes, config.record_autonomous, config.upload_every_n_episodes) == (20, True, 5)
    assert (config.target_video_file_size_mb, config.smooth_handover) == (100.0, False)
    assert config.bindings() == {"pause_resume": "p", "correction": "t", "upload": "u"}
    default = resolved("--strategy.type=dagger").config.strategy.config
    assert (default.num_episodes, default.record_autonomous, default.smooth_handover) == (None, False, True)


def test_a_key_for_two_events_is_refused() -> None:
    ran = run(keys={"takeover": "x", "pause": "x"}, keys_of="terminal")
    assert "'x'" in refused(ran)
    assert "another key" in refused(ran)


def test_a_key_that_another_event_needs_is_refused() -> None:
    assert "space" in refused(run(keys={"takeover": "space"}, keys_of="terminal"))


def test_without_a_terminal_to_read_keys_from() -> None:
    """A pipe instead of a person: said before the arm moves."""
    argv = "rollout --strategy dagger --robot fake --teleop fake --policy fake --dataset.type fake --operator terminal"
    command = [sys.executable, "-m", "lerobot_core", *argv.split(), "--duration", "1"]
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60)
    assert done.returncode != 0
    assert "keys cannot be read" in done.stderr
    assert "the robot was sent nothing" in done.stdout
