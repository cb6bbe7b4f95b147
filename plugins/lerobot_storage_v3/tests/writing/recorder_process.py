"""A recorder in a process of its own: `recorder_process.py ROOT POINT AFTER`.

It records episodes of rising length and prints a line for each ticket that is done; at the AFTERth time that POINT is
reached (a byte, for `bytes`) it is killed with SIGKILL. POINT `count` kills nothing and prints how often each was reached.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path

import numpy as np
from lerobot_core.clock import RealClock
from lerobot_core.specs import Parts
from lerobot_core.types import Feature, Observation, Step
from lerobot_storage_v3.config import LerobotStorageConfig
from lerobot_storage_v3.faults import Faults, Kill
from lerobot_storage_v3.writer import LerobotStorage

FPS, CAMERAS, LENGTHS = 10, ("front", "wrist"), (5, 1, 8, 3, 6, 4, 7, 2, 9, 5)
JOINT = {"pan.pos": Feature("float32", (), "deg")}


class Count(Faults):
    """How often each point is reached."""

    def __init__(self) -> None:
        self.seen: Counter[str] = Counter()

    def reach(self, point: str, amount: int = 1) -> None:
        self.seen[point] += amount


def step(index: int) -> Step:
    grey = [np.full((48, 64, 3), 20 + (index * 7 + 50 * place) % 200, np.uint8) for place in range(len(CAMERAS))]
    observation = Observation({"pan.pos": float(index), **dict(zip(CAMERAS, grey, strict=True))}, index / FPS)
    action = {"pan.pos": float(-index)}
    return Step(index, index / FPS, observation, action, action, "policy", task=f"task {index // 20}")


def record(root: Path, faults: Faults) -> None:
    storage = LerobotStorage(LerobotStorageConfig(root=root), Parts(clock=RealClock()), faults)
    cameras = {name: Feature("uint8", (48, 64, 3)) for name in CAMERAS}
    storage.open(JOINT | cameras, JOINT, FPS, "fake", "a task", resume=False)
    index = 0
    for episode, length in enumerate(LENGTHS):
        for _ in range(length):
            storage.add_frame(step(index))
            index += 1
        if storage.save_episode().wait(60):
            print(f"done {episode}", flush=True)
    storage.finalize()


if __name__ == "__main__":
    root, point, after = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    counting = Count()
    record(root, counting if point == "count" else Kill(point, after))
    print(json.dumps(counting.seen), flush=True)
