"""Is the control loop later when the server dies? A loop at 100 Hz with a server, after its kill -9, and without any engine.

python death.py [--seconds 10]
"""

from __future__ import annotations

import argparse
import json

from common import ServerProcess, machine, ms
from lerobot_core.clock import RealClock
from lerobot_server.fake_robot import Robot
from lerobot_server.fakes import StubPolicy

FPS = 100.0


def bare(seconds: float) -> list[float]:
    """Lateness of a loop that does nothing."""
    clock, late = RealClock(), list[float]()
    due = clock.now()
    for _ in range(round(seconds * FPS)):
        clock.sleep_until(due)
        now = clock.now()
        late.append(now - due)
        due = max(due + 1.0 / FPS, now)
    return late


def main() -> None:
    """Print one JSON object; the three take turns by seconds, as far as that is possible, because machines drift."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=10.0)
    seconds = parser.parse_args().seconds
    server = ServerProcess(2, 480, 640, 20.0)
    policy = StubPolicy({"camera_0": (480, 640), "camera_1": (480, 640)})
    found, alone = {}, list[float]()
    where = f"tcp/127.0.0.1:{server.port}"
    with Robot(policy.needs, policy.gives, connect=where, fps=FPS) as robot:
        robot.first()
        for name in ("served", "dead"):
            alone += bare(seconds / 2)
            robot._due = robot.clock.now()
            robot.lateness.clear()
            robot.run(seconds)
            found[name] = ms(robot.lateness)
            server.child.kill()
        found["remote"] = {"state": str(robot.engine.link_state)}  # type: ignore[dict-item]
    found["bare"] = ms(alone)
    print(json.dumps({"fps": FPS, "lateness_ms": found, "machine": machine()}))
    server.child.wait()


if __name__ == "__main__":
    main()
