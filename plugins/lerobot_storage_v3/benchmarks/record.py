"""How recording behaves: `python benchmarks/record.py [--cameras 2] [--seconds 10] [--episodes 3] [--codec auto]`.

Paces rows at 30 fps like the control loop does and prints one JSON line: what `add_frame` costs the loop, how late a tick
was, how long after the last frame an episode is durable, and whether every camera has a frame for every row.
`--peer PYTHON` runs the peer between our rounds, in its own Python. `--ring` records through the highlight ring instead; `--slow S` makes every encoded frame take S seconds longer.
The scene is camera-like: a textured background with sensor noise, and a few moving objects.
"""

from __future__ import annotations

import argparse
import json
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import av
import numpy as np
from lerobot_core.clock import RealClock
from lerobot_core.specs import Parts
from lerobot_core.types import Feature, Features, Observation, Step
from lerobot_storage_v3.config import LerobotStorageConfig
from lerobot_storage_v3.faults import NONE, SlowEncoder
from lerobot_storage_v3.writer import LerobotStorage
from scene import HEIGHT, WIDTH, Scene

FPS, JOINTS = 30, 6


def features(cameras: int) -> tuple[Features, Features]:
    """Observation and action."""
    joints: Features = {f"joint_{index}.pos": Feature("float32", (), "deg") for index in range(JOINTS)}
    return joints | {f"cam{index}": Feature("uint8", (HEIGHT, WIDTH, 3)) for index in range(cameras)}, joints


def row(index: int, t: float, scenes: list[Scene], joints: Features) -> Step:
    """One step as the loop would give it."""
    values = {name: float(np.sin(index / 30 + place)) for place, name in enumerate(joints)}
    pictures = {f"cam{number}": scene.frame(index) for number, scene in enumerate(scenes)}
    return Step(index, t, Observation({**values, **pictures}, t), values, values, "policy", task="bench")


class Bench:
    """One recording."""

    def __init__(self, options: argparse.Namespace, root: Path) -> None:
        self.options, self.root, self.clock = options, root, RealClock()
        self.scenes = [Scene(seed) for seed in range(options.cameras)]
        self.before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        self.adds: list[float] = []
        self.late: list[float] = []
        self.tickets: list[float] = []
        observation, self.joints = features(options.cameras)
        config = LerobotStorageConfig(root=root, codec=options.codec, slow_encoder=options.policy)
        faults = SlowEncoder(options.slow) if options.slow else NONE
        self.storage = LerobotStorage(config, Parts(clock=self.clock), faults)
        self.storage.open(observation, self.joints, FPS, "bench", "bench", resume=False)

    def rows(self, count: int) -> None:
        """Add paced rows."""
        start = self.clock.now()
        for index in range(count):
            deadline = start + index / FPS
            self.clock.sleep_until(deadline)
            now = self.clock.now()
            self.late.append(now - deadline)
            step = row(index, now, self.scenes, self.joints)
            before = self.clock.now()
            self.storage.add_frame(step)
            self.adds.append(self.clock.now() - before)

    def episode(self) -> None:
        """Record and wait until it is durable."""
        count = int(self.options.seconds * FPS)
        if self.options.ring:
            self.storage.buffer(self.options.seconds, 60_000_000)
            self.rows(count)
            self.storage.commit_buffer()
            self.rows(10)
        else:
            self.rows(count)
        ended = self.clock.now()
        assert self.storage.save_episode().wait(3600)
        self.tickets.append(self.clock.now() - ended)

    def report(self) -> dict[str, object]:
        """The figures."""

        def ms(values: list[float], quantile: float) -> float:
            return round(float(np.quantile(values, quantile)) * 1000, 3)

        stats = self.storage.stats()
        return {
            "cameras": self.options.cameras,
            "codec": stats["codec"],
            "episodes": stats["episodes"],
            "rows": stats["frames"],
            "frames": frames(self.root),
            "repeated": stats["repeated"],
            "add_ms": {"p50": ms(self.adds, 0.5), "p99": ms(self.adds, 0.99), "max": ms(self.adds, 1)},
            "late_ms": {"p99": ms(self.late, 0.99), "max": ms(self.late, 1)},
            "ticket_ms": [round(value * 1000, 1) for value in self.tickets],
            "mb": round(stats["bytes"] / 1e6, 1),
            "rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
            "rss_of_scenes_mb": self.before,
        }


def frames(root: Path) -> list[int]:
    """Decoded frames of each camera."""
    counts = []
    for camera in sorted((root / "videos").iterdir()):
        total = 0
        for path in camera.rglob("*.mp4"):
            with av.open(str(path)) as container:
                total += sum(1 for packet in container.demux(container.streams.video[0]) if packet.size)
        counts.append(total)
    return counts


def main() -> None:
    """Parse, record, report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cameras", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--episodes", type=int, default=3)
    parser.add_argument("--codec", default="auto")
    parser.add_argument("--policy", default="mark", choices=("mark", "block"))
    parser.add_argument("--slow", type=float, default=0.0)
    parser.add_argument("--ring", action="store_true")
    parser.add_argument("--root", type=Path, default=None)
    parser.add_argument("--peer", default="", help="a Python that has lerobot")
    options = parser.parse_args()
    if options.peer:
        paired(options)
    else:
        ours(options)


def paired(options: argparse.Namespace) -> None:
    """Ours, the peer, ours: on a busy machine only neighbours compare."""
    sizes = [str(options.cameras), str(options.seconds), str(options.episodes)]
    mine = [sys.executable, __file__]
    mine += [text for pair in zip(("--cameras", "--seconds", "--episodes"), sizes, strict=True) for text in pair]
    theirs = [options.peer, str(Path(__file__).with_name("peer_record.py")), *sizes]
    for who, command in (("ours", mine), ("peer", theirs), ("ours", mine)):
        done = subprocess.run(command, capture_output=True, text=True)
        print(who, (done.stdout.splitlines() or [done.stderr[-500:]])[-1], flush=True)


def ours(options: argparse.Namespace) -> None:
    """One recording of ours."""
    folder = Path(tempfile.mkdtemp(prefix="lr-bench-"))
    bench = Bench(options, options.root or folder / "set")
    began = time.process_time()
    for _ in range(options.episodes):
        bench.episode()
    cpu = time.process_time() - began
    bench.storage.finalize()
    print(json.dumps({**bench.report(), "cpu_s": round(cpu, 2)}))
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()
