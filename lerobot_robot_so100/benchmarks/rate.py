"""200 Hz on the virtual SO-100, interleaved with the same loop on the fake robot.

usage: python lerobot_robot_so100/benchmarks/rate.py [SECONDS] [HZ]

SECONDS of each in four rounds, no cameras; needs lerobot-sim. Lateness is a tick's start after its deadline.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

ROUNDS = 4
RIGS = {
    "fake": ["--robot", "fake", "--teleop", "fake"],
    "so100": ["--robot", "virtual_so100", "--teleop", "scripted", "--camera.front", "none", "--camera.wrist", "none"],
}


def teleoperate(rig: list[str], seconds: float, hz: float) -> dict[str, Any]:
    command = [sys.executable, "-m", "lerobot_core", "teleoperate", *rig]
    command += ["--fps", str(hz), "--duration", str(seconds), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


def main(seconds: float, hz: float) -> None:
    """Print every round, then what the bars are about."""
    worst: dict[str, float] = dict.fromkeys(RIGS, 0.0)
    lost: dict[str, int] = dict.fromkeys(RIGS, 0)
    for _ in range(ROUNDS):
        for name, rig in RIGS.items():
            summary = teleoperate(rig, seconds / ROUNDS, hz)
            late, lost[name] = summary["lateness_ms"], lost[name] + summary["overruns"]
            worst[name] = max(worst[name], late["p99"])
            print(
                f"{name:6} ticks {summary['ticks']}, overruns {summary['overruns']}, late {late}, cpu_s {summary['cpu_s']}"
            )
    print(f"overruns: fake {lost['fake']}, so100 {lost['so100']} (bar 0)")
    print(f"worst p99: fake {worst['fake']} ms, so100 {worst['so100']} ms (bar: the fake's + 2)")


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 60.0, float(sys.argv[2]) if len(sys.argv) > 2 else 200.0)
