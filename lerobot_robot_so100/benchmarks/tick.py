"""What a tick of an SO-100 costs the host: one read and one write of six motors over the virtual bus.

usage: python lerobot_robot_so100/benchmarks/tick.py [SECONDS] [HZ]

CPU is this thread's alone; the world is another process. "back to back" exchanges show what the wire allows.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from bench import follower
from lerobot_core.clock import RealClock
from lerobot_core.errors import BusError
from lerobot_sim.worlds import open_world


def main(seconds: float, hz: float) -> dict[str, object]:
    """Figures in milliseconds."""
    clock = RealClock()
    world = open_world("sim", clock, auto_reset=False)
    arm = follower()
    arm.connect()
    arm.engage()
    pose = {key: value for key, value in arm.get_observation().items()}
    cpu, wall, late, failed = [], [], [], 0
    deadline = clock.now()
    for _ in range(int(seconds * hz)):
        deadline += 1 / hz
        clock.sleep_until(deadline)
        late.append(1e3 * (clock.now() - deadline))
        before, began = time.thread_time(), clock.now()
        try:
            arm.get_observation()
        except BusError:
            failed += 1
        arm.send_action(pose)
        cpu.append(1e3 * (time.thread_time() - before))
        wall.append(1e3 * (clock.now() - began))
    arm.disconnect()
    world.close()
    return {
        "ticks": len(cpu),
        "failed": failed,
        "cpu_ms": spread(cpu),
        "wall_ms": spread(wall),
        "late_ms": spread(late),
    }


def spread(values: list[float]) -> dict[str, float]:
    """Median, 99th percentile and maximum."""
    cuts = statistics.quantiles(values, n=100)
    return {"p50": round(cuts[49], 3), "p99": round(cuts[98], 3), "max": round(max(values), 3)}


if __name__ == "__main__":
    arguments = [float(value) for value in sys.argv[1:]]
    print(json.dumps(main(*arguments, *(10.0, 200.0)[len(arguments) :])))
