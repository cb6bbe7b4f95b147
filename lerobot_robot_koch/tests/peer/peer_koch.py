"""Runs under the peer's own interpreter: its Koch follower with a calibration of ours, on a port given by the test.

The last line is its report, JSON: whether it takes the calibration for the motors', where it sees the joints.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from lerobot.robots.koch_follower import KochFollower, KochFollowerConfig


def main() -> None:
    port, folder, goal = sys.argv[1], Path(sys.argv[2]), json.loads(sys.argv[3])
    robot = KochFollower(KochFollowerConfig(port=port, id="bench", calibration_dir=folder))
    robot.bus.connect()
    report: dict[str, Any] = {"calibrated": robot.is_calibrated, "seen": robot.get_observation()}
    robot.configure()
    robot.bus.enable_torque()
    robot.send_action(goal)
    report["after"] = robot.get_observation()
    robot.bus.disconnect(disable_torque=True)
    print(json.dumps(report))


main()
