"""Runs as a person starts them: a real process, the real clock, real signals."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

FAKES = ["--robot", "fake", "--policy", "fake"]


def start(*argv: str, **more: Any) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "lerobot_core", *argv]
    return subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **more
    )


@pytest.fixture(autouse=True)
def _state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


def last_line(out: str) -> dict[str, Any]:
    found = json.loads(out.strip().splitlines()[-1])
    assert isinstance(found, dict)
    return found


def wait_for_first_action(process: subprocess.Popen[str]) -> None:
    """The first line a run says on stderr in debug mode after its first action."""
    assert process.stderr is not None
    for line in process.stderr:
        if "first action" in line:
            return
    raise AssertionError("the run ended before it began")


def test_json_is_the_last_line_and_everything_else_is_on_stderr() -> None:
    process = start("rollout", *FAKES, "--duration", "0.5", "--json")
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert len(out.strip().splitlines()) == 1
    summary = last_line(out)
    assert (summary["schema"], summary["outcome"], summary["rows"]["policy"]) == (1, "done", 15)


def test_the_run_is_written_down_with_origins_and_versions(tmp_path: Path) -> None:
    process = start("rollout", *FAKES, "--duration", "0.2", "--json")
    process.communicate(timeout=60)
    (path,) = (tmp_path / "state" / "lerobot" / "runs").glob("*/run.json")
    record = json.loads(path.read_text())
    assert record["config"]["options"]["duration"] == {"value": 0.2, "origin": "command line --duration"}
    assert record["versions"]["plugins"]["robot:fake"].startswith("lerobot-core ")
    assert record["summary"]["outcome"] == "done"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_one_signal_stops_in_an_orderly_way(number: signal.Signals) -> None:
    process = start("rollout", *FAKES, "--json", env={**os.environ, "LEROBOT_DEBUG": "1"})
    wait_for_first_action(process)
    process.send_signal(number)
    out, _ = process.communicate(timeout=60)
    summary = last_line(out)
    assert (process.returncode, summary["outcome"], summary["reason"]) == (0, "stopped", number.name)
    assert summary["exit"] == "park"


def test_two_signals_mean_now() -> None:
    env = {**os.environ, "LEROBOT_DEBUG": "1"}
    slow = [
        "--robot.park-pose",
        "{shoulder_pan.pos: 99, shoulder_lift.pos: 99, elbow_flex.pos: 99, wrist_flex.pos: 99, wrist_roll.pos: 99, gripper.pos: 99}",
    ]
    process = start("rollout", *FAKES, *slow, "--json", env=env)
    wait_for_first_action(process)
    process.send_signal(signal.SIGINT)
    assert process.stderr is not None
    for line in process.stderr:
        if "parking" in line:
            break
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert last_line(out)["exit"] == "release"
    assert "drop" in err


@pytest.mark.parametrize(
    ("argv", "code", "words"),
    [
        (["rollot"], 2, ["rollout"]),
        (["rollout", "--robot", "fake", "--duraton", "5"], 2, ["--duration"]),
        (["rollout", "--robot", "fke"], 1, ["fake"]),
        (["rollout", "--robot", "fake", "--robot.id", "--json"], 2, ["--robot.id"]),
        (["rollout", *FAKES, "--fps", "fast"], 2, ["fps", "fast"]),
        (["rollout", *FAKES, "--interpolation", "0"], 2, ["interpolation", "1"]),
        (["rollout", *FAKES, "--policy.names", "[a.pos]", "--duration", "1"], 1, ["-a.pos"]),
        (["rollout", *FAKES, "--policy.units", "rad", "--duration", "1"], 1, ["rad", "deg"]),
        (["rollout", *FAKES, "--config", "nowhere.toml"], 2, ["nowhere.toml"]),
    ],
)
def test_bad_input_is_a_few_lines_and_an_exit_code(argv: list[str], code: int, words: list[str]) -> None:
    process = start(*argv)
    _, err = process.communicate(timeout=60)
    assert process.returncode == code, err
    assert all(word in err for word in words), err
    assert "Traceback" not in err
    assert len(err.strip().splitlines()) <= 6


def test_a_preset_and_a_rig_file_run(tmp_path: Path) -> None:
    out, err = start("rollout", "--robot", "fake_rig", "--policy", "fake", "--duration", "0.3", "--json").communicate(
        timeout=60
    )
    assert last_line(out)["cameras"]["front"]["frames"] > 0, err
    rig = tmp_path / "bench.toml"
    rig.write_text('[robot]\ntype = "fake"\nid = "bench"\n\n[camera.top]\ntype = "fake"\nwidth = 64\nheight = 48\n')
    process = start("rollout", "--rig", str(rig), "--policy", "fake", "--duration", "0.3", "--json")
    out, err = process.communicate(timeout=60)
    assert set(last_line(out)["cameras"]) == {"top"}, err


def test_a_terminal_that_closes_parks_the_arm(tmp_path: Path) -> None:
    pid, master = pty.fork()
    if pid == 0:
        os.execv(
            sys.executable,
            [sys.executable, "-m", "lerobot_core", "rollout", *FAKES, "--log-file", str(tmp_path / "log")],
        )
    seen = b""
    while b"late" not in seen:
        seen += os.read(master, 4096)
    os.close(master)
    os.waitpid(pid, 0)
    (path,) = (tmp_path / "state" / "lerobot" / "runs").glob("*/run.json")
    summary = json.loads(path.read_text())["summary"]
    assert (summary["outcome"], summary["exit"]) == ("stopped", "park")


def test_keys_that_nobody_can_press_are_refused_before_anything_is_opened() -> None:
    for more in (["--operator", "terminal"], ["--interactive"]):
        process = start("rollout", *FAKES, *more, "--duration", "1")
        _, err = process.communicate(timeout=60)
        assert process.returncode == 1
        assert "keys cannot be read" in err
        assert "stdin is no terminal" in err


def _expect(master: int, words: bytes) -> None:
    """Read the screen until `words` appear; pytest's own time limit ends a wait in vain."""
    seen = b""
    while words not in seen:
        seen += os.read(master, 4096)


def test_a_session_is_steered_by_typed_lines(tmp_path: Path) -> None:
    pid, master = pty.fork()
    if pid == 0:
        os.environ["COLUMNS"] = "200"
        os.execv(
            sys.executable,
            [
                sys.executable,
                "-m",
                "lerobot_core",
                "rollout",
                *FAKES,
                "--interactive",
                "--log-file",
                str(tmp_path / "log"),
            ],
        )
    _expect(master, b"ready: ")
    os.write(master, b"/start fold the towel\r")
    _expect(master, b"segment 1: fold the towel")
    _expect(master, b"policy")
    os.write(master, b"/stop\r")
    _expect(master, b"segment 1 ended: operator")
    os.write(master, b"/reset\r")
    _expect(master, b"at home")
    os.write(master, b"/start\r")
    _expect(master, b"segment 2: fold the towel")
    os.write(master, b"/sort the bolts\r")
    _expect(master, b"task: sort the bolts")
    os.write(master, b"/quit\r")
    _expect(master, b"stopped: operator")
    os.close(master)
    os.waitpid(pid, 0)
    (path,) = (tmp_path / "state" / "lerobot" / "runs").glob("*/run.json")
    summary = json.loads(path.read_text())["summary"]
    assert (summary["outcome"], summary["exit"]) == ("stopped", "park")
    assert summary["rows"]["policy"] > 0
    assert summary["rows"]["goto"] > 0
