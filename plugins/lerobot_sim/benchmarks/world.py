"""How fast the world runs, and how often the scripted person succeeds.

usage: python benchmarks/world.py [--seeds N] [--seconds S] [--json]

Everything runs on one thread, so that drawing and physics share one core as they would on a small machine. The bars:
at least 10 x real time without cameras, 2 x with two of 640 x 480 at 30 fps, 90 % of 100 seeds.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import time
from typing import Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from lerobot_sim.camera.look import Look
from lerobot_sim.camera.painter import Painter
from lerobot_sim.camera.process import VIEWS
from lerobot_sim.camera.solids import Solids
from lerobot_sim.expert.person import Person
from lerobot_sim.physics import scene
from lerobot_sim.physics.arm import JOINTS
from lerobot_sim.physics.world import Scene
from lerobot_sim.servo.drive import Drive

STEP, FPS = 0.005, 30


class Bench:
    """A scene with the scripted person at work, 30 goals a second."""

    def __init__(self, seed: int, auto_reset: bool) -> None:
        self.drives = [Drive(torque=True) for _ in JOINTS]
        self.drives[-1].limit = 0.5
        self.scene = Scene(self.drives, seed, auto_reset)
        self.person = Person(seed)
        self._due = 0.0

    def step(self) -> bool:
        """One step of the world; True when a period of 1/30 s began with it."""
        begins = self.scene.time >= self._due
        if begins:
            self._due += 1 / FPS
            wanted = self.person.act(self.scene.truth())
            for joint, drive in zip(JOINTS, self.drives, strict=True):
                drive.goal, drive.changed = joint.encoder(math.radians(wanted[joint.name])), True
        self.scene.advance(STEP)
        return begins


def without_cameras(seconds: float) -> float:
    """Times real time."""
    bench, start = Bench(0, True), time.process_time()
    while bench.scene.time < seconds:
        bench.step()
    return seconds / (time.process_time() - start)


def with_cameras(seconds: float) -> tuple[float, float]:
    """Times real time with both cameras, and milliseconds a picture."""
    bench = Bench(0, True)
    solids, painter = Solids(bench.scene.model), Painter(bench.scene.model, 640, 480)
    pictures, drawing, start = 0, 0.0, time.process_time()
    while bench.scene.time < seconds:
        if bench.step():
            began = time.process_time()
            look = Look.of(bench.scene.seed, VIEWS)
            solids.update(bench.scene.data)
            for view in VIEWS:
                painter.paint(solids, bench.scene.data, view, look)
            pictures, drawing = pictures + len(VIEWS), drawing + time.process_time() - began
    return seconds / (time.process_time() - start), 1e3 * drawing / pictures


def success(seeds: int) -> tuple[int, float, list[int]]:
    """Successes, their mean seconds, and the seeds that failed."""
    failed, seconds = [], 0.0
    for seed in range(seeds):
        bench = Bench(seed, False)
        while bench.scene.elapsed < scene.ATTEMPT_S and not bench.scene.succeeded:
            bench.step()
        seconds += bench.scene.elapsed if bench.scene.succeeded else 0.0
        failed += [] if bench.scene.succeeded else [seed]
    won = seeds - len(failed)
    return won, seconds / max(won, 1), failed


def measure(seeds: int, seconds: float) -> dict[str, Any]:
    """All figures."""
    bare = without_cameras(seconds)
    drawn, picture_ms = with_cameras(seconds)
    won, mean, failed = success(seeds)
    return {
        "x_real_time": round(bare, 1),
        "x_real_time_two_cameras": round(drawn, 1),
        "ms_a_picture": round(picture_ms, 2),
        "seeds": seeds,
        "successes": won,
        "seconds_a_success": round(mean, 2),
        "failed_seeds": failed,
    }


def main() -> None:
    """Print them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=10.0, help="simulated, for each speed")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    figures = measure(args.seeds, args.seconds)
    print(json.dumps(figures) if args.json else "\n".join(f"{name:26} {value}" for name, value in figures.items()))


if __name__ == "__main__":
    main()
