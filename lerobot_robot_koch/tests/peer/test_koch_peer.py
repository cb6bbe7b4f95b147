"""The peer's own driver reads our calibration, sees what we see and tells the motors what we tell them.

Needs LEROBOT_PEER_PYTHON, an interpreter with the peer installed.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
from koch_bench import Bench
from lerobot_core.calibration import save

PEER = os.environ.get("LEROBOT_PEER_PYTHON", "")
GOAL = {
    "shoulder_pan.pos": 12.3,
    "shoulder_lift.pos": -45.6,
    "elbow_flex.pos": 7.89,
    "wrist_flex.pos": -100.0,
    "wrist_roll.pos": 99.9,
    "gripper.pos": 33.3,
}

pytestmark = pytest.mark.skipif(not PEER, reason="LEROBOT_PEER_PYTHON is not set")


def test_both_see_and_command_the_same(arm: Bench, tmp_path: Path) -> None:
    assert arm.calibration is not None
    save(tmp_path / "bench.json", arm.calibration)
    arm.turn(-123)
    ours = arm.follower()
    ours.connect()
    seen = dict(ours.get_observation())
    ours.engage()
    ours.send_action(GOAL)
    ours.get_observation()
    told = arm.registers("Goal_Position")
    ours.disconnect()
    script = str(Path(__file__).with_name("peer_koch.py"))
    command = [PEER, script, arm.path, str(tmp_path), json.dumps(GOAL)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout.splitlines()[-1])
    assert report["calibrated"]
    assert report["seen"] == pytest.approx(seen)
    assert arm.registers("Goal_Position") == told
