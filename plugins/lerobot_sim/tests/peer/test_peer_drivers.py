"""The peer's own drivers find the virtual arms, calibrate them and move them. Needs LEROBOT_PEER_PYTHON, an interpreter
with the peer installed; the nox session `peer` sets it."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from lerobot_core.clock import RealClock
from lerobot_core.contracts.bus import Motor
from lerobot_sim.client import SimWorld
from lerobot_sim.physics.arm import JOINTS
from lerobot_sim.preset import CALIBRATION

PEER = os.environ.get("LEROBOT_PEER_PYTHON", "")
NAMES = [joint.name for joint in JOINTS]
SO100 = {name: Motor(i + 1, "sts3215", "degrees") for i, name in enumerate(NAMES)}
KOCH = {name: Motor(i + 1, "xl430-w250" if i < 2 else "xl330-m288", "degrees") for i, name in enumerate(NAMES)}

pytestmark = pytest.mark.skipif(not PEER, reason="LEROBOT_PEER_PYTHON is not set")


@pytest.fixture
def world() -> Iterator[SimWorld]:
    made = SimWorld("sim", RealClock())
    yield made
    made.close()


def session(world: SimWorld, family: str, path: str, folder: Path, moves: list[dict[str, float]]) -> dict[str, Any]:
    """Play the person for one peer session; returns its report."""
    command = [PEER, str(Path(__file__).with_name("peer_session.py")), family, path, str(folder), json.dumps(moves)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, text=True, bufsize=1, **pipes) as process:  # type: ignore[call-overload]
        last = ""
        for line in process.stdout:
            last = line
            if line.startswith("@ Move"):
                world.hands("middle")
                process.stdin.write("\n")
            elif line.startswith("Recording positions"):
                # Its own recording has no prompt: it looks at stdin between two readings.
                time.sleep(world.hands("ranges") + 0.3)
                process.stdin.write("\n")
    assert process.returncode == 0
    return dict(json.loads(last))


def test_the_peers_so100_calibrates_and_moves_the_virtual_arm(world: SimWorld, tmp_path: Path) -> None:
    path, _ = world.open_port("feetech", SO100)
    moves = [{"shoulder_pan.pos": 20.0, "gripper.pos": 60.0}, {"elbow_flex.pos": 30.0}]
    report = session(world, "so100", path, tmp_path, moves)
    assert report["found"] == {str(i): 777 for i in range(1, 7)}
    assert report["calibration"] == json.loads((CALIBRATION / "virtual.json").read_text())
    assert report["calibrated_after"]
    assert report["seen"][0]["shoulder_pan.pos"] == pytest.approx(20.0, abs=1.5)
    assert report["seen"][0]["gripper.pos"] == pytest.approx(60.0, abs=2.0)
    assert report["seen"][1]["elbow_flex.pos"] == pytest.approx(30.0, abs=2.5)
    truth = world.truth()["joints"]
    assert truth["shoulder_pan"] == pytest.approx(report["seen"][1]["shoulder_pan.pos"], abs=0.5)


def test_the_peers_koch_calibrates_and_moves_a_loose_arm(world: SimWorld, tmp_path: Path) -> None:
    path, _ = world.open_port("dynamixel", KOCH)
    report = session(world, "koch", path, tmp_path, [{"elbow_flex.pos": 40.0, "gripper.pos": 25.0}])
    assert list(report["found"].values()) == [1060, 1060, 1200, 1200, 1200, 1200]
    assert report["calibrated_after"]
    assert report["seen"][0]["elbow_flex.pos"] == pytest.approx(40.0, abs=0.5)
    assert report["seen"][0]["gripper.pos"] == pytest.approx(25.0, abs=0.5)
