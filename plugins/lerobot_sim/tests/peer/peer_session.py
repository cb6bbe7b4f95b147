"""Runs under the peer's own interpreter: its robot, its bus, its calibration, on a port given by the test.

What it wants of a person goes to stdout as `@ text`; a line on stdin answers. The last line is its report, JSON.
"""

from __future__ import annotations

import builtins
import json
import sys
import time
from pathlib import Path
from typing import Any


def ask(prompt: str = "") -> str:
    print("@", prompt, flush=True)
    return sys.stdin.readline().strip()


def robot_of(family: str, port: str, folder: Path) -> Any:
    if family == "koch":
        from lerobot.robots.koch_follower import KochFollower, KochFollowerConfig

        return KochFollower(KochFollowerConfig(port=port, id="peer", calibration_dir=folder))
    from lerobot.robots.so_follower import SOFollower, SOFollowerRobotConfig

    return SOFollower(SOFollowerRobotConfig(port=port, id="peer", calibration_dir=folder))


def be_patient(port: Any) -> None:
    """Wait longer for an answer: on a machine with much to do the drivers' 50 ms are soon gone."""
    usual = port.setPacketTimeout

    def longer(length: int) -> None:
        usual(length)
        port.packet_timeout += 250.0

    port.setPacketTimeout = longer


def main() -> None:
    builtins.input = ask
    family, port, folder, moves = sys.argv[1], sys.argv[2], Path(sys.argv[3]), json.loads(sys.argv[4])
    robot = robot_of(family, port, folder)
    be_patient(robot.bus.port_handler)
    robot.bus.connect()
    report: dict[str, Any] = {"found": robot.bus.broadcast_ping(), "calibrated": robot.is_calibrated}
    print("@ recording follows", flush=True)
    robot.calibrate()
    report["calibration"] = json.loads((folder / "peer.json").read_text())
    report["calibrated_after"] = robot.is_calibrated
    robot.configure()
    seen = []
    for move in moves:
        goal = robot.get_observation() | move
        for _ in range(60):
            robot.send_action(goal)
            time.sleep(0.02)
        seen.append(robot.get_observation())
    report["seen"] = seen
    robot.disconnect()
    print(json.dumps(report), flush=True)


main()
