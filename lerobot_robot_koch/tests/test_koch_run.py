"""A whole run from the command line: the follower goes where the leader is held, then back, and lets go."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from koch_bench import MIDDLE, REACH, Bench, follower_bench
from lerobot_core.calibration import calibration_path, save


def teleoperate(arm: Bench, hand: Bench, folder: Path) -> dict[str, Any]:
    """`lr teleoperate` in a process of its own; its summary."""
    environ = {**os.environ, "HF_LEROBOT_CALIBRATION": str(folder)}
    for kind, name, bench in (("robot", "koch_follower", arm), ("teleoperator", "koch_leader", hand)):
        assert bench.calibration is not None
        save(calibration_path(kind, name, "bench", folder / f"{kind}s" / name), bench.calibration)
    command = [sys.executable, "-m", "lerobot_core", "teleoperate", "--duration", "2", "--fps", "30", "--json"]
    command += ["--robot", "koch", "--robot.port", arm.path, "--robot.id", "bench"]
    command += ["--teleop", "koch_leader", "--teleop.port", hand.path, "--teleop.id", "bench"]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout.splitlines()[-1]))


def test_the_follower_follows_and_parks(hand: Bench, tmp_path: Path) -> None:
    hand.turn(REACH // 4)
    goals: dict[str, list[int]] = {name: [] for name in MIDDLE}
    with follower_bench(alive=True) as arm:
        for servo in arm.servos.values():
            servo.on_goal = lambda name, raw: goals[name].append(raw)
        summary = teleoperate(arm, hand, tmp_path)
        found = arm.registers("Present_Position")
        torque = arm.registers("Torque_Enable")
    assert (summary["outcome"], summary["reason"], summary["exit"]) == ("done", "duration", "park")
    assert summary["rows"]["human"] >= 30
    # A leader whose elbow is mounted the other way round counts down where the others count up.
    reached = {name: min(goals[name]) if name == "elbow_flex" else max(goals[name]) for name in MIDDLE}
    expected = {**dict.fromkeys(MIDDLE, 2047 + REACH // 4), "elbow_flex": 2047 - REACH // 4}
    # A hand holds the leader, also against its spring.
    assert reached == pytest.approx(expected, abs=2)
    assert found == pytest.approx(dict.fromkeys(MIDDLE, 2047), abs=10)
    assert set(torque.values()) == {0}
    assert set(hand.registers("Torque_Enable").values()) == {0}
