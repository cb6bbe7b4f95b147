"""Random frame reads of two VGA cameras, ours and the peer's in one run, taking turns.

    LEROBOT_PEER_PYTHON=/path/to/python python reads.py [--frames 600] [--rounds 6] [--reads 40] [--grain 3]

Reads the peer's own AV1 files and our H.264 files (key frame every 2) with our reader, the peer's pyav and its torchcodec.
Absolute figures drift by the hour on a shared machine; the ratios of one run are what counts.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import av
from lerobot_core.clock import RealClock
from lerobot_core.specs import Parts
from lerobot_core.types import Feature, Observation, Step
from lerobot_storage_v3.config import LerobotStorageConfig
from lerobot_storage_v3.reader import LerobotReader, open_reader
from lerobot_storage_v3.writer import LerobotStorage
from scene import Scene

HERE = Path(__file__).parent
JOINTS = {f"joint_{number}.pos": Feature() for number in range(6)}
CAMERAS = {name: Feature("uint8", (480, 640, 3)) for name in ("front", "wrist")}


class Peer:
    """The peer's process."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._in: IO[str] = process.stdin
        self._out: IO[str] = process.stdout

    def ask(self, *words: Any) -> dict[str, Any]:
        """Send a command, wait for its answer."""
        self._in.write(" ".join(map(str, words)) + "\n")
        self._in.flush()
        answer: dict[str, Any] = json.loads(self._out.readline())
        return answer


@contextmanager
def peer() -> Iterator[Peer]:
    """Start the peer; it ends with the block."""
    command = [os.environ["LEROBOT_PEER_PYTHON"], str(HERE / "peer_reads.py")]
    environ = os.environ | {"HF_HUB_OFFLINE": "1", "PYTHONPATH": str(HERE)}
    pipe = subprocess.PIPE
    process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=True, env=environ)
    try:
        yield Peer(process)
    finally:
        assert process.stdin is not None
        process.stdin.close()
        process.wait()


def record(root: Path, frames: int, grain: float) -> None:
    """Our own dataset of the same scene."""
    clock = RealClock()
    storage = LerobotStorage(
        LerobotStorageConfig(root=root, codec="h264", extras="none", slow_encoder="block"), Parts(clock)
    )
    storage.open({**JOINTS, **CAMERAS}, JOINTS, 30.0, "bench", "bench", False)
    scenes = [Scene(seed, grain) for seed in range(2)]
    for index in range(frames):
        pictures = [scene.frame(index) for scene in scenes]
        joints = dict.fromkeys(JOINTS, float(index))
        seen = Observation({**joints, **dict(zip(CAMERAS, pictures, strict=True))}, index / 30)
        storage.add_frame(Step(index, index / 30, seen, joints, joints, "human", task="bench"))
    storage.save_episode().wait(60)
    storage.finalize()


def ours(reader: LerobotReader, rows: list[int]) -> float:
    """Seconds for these rows."""
    began = time.perf_counter()
    for row in rows:
        item = reader.frames(row)
    seconds = time.perf_counter() - began
    assert item["observation.images.front"].shape == (480, 640, 3)
    return seconds


def codec(root: Path) -> str:
    """The codec of the first camera's file."""
    with av.open(str(next(root.glob("videos/*front*/*/*.mp4")))) as container:
        return container.streams.video[0].codec_context.codec.name


def weight(root: Path, frames: int) -> float:
    """Kilobytes a frame of the first camera."""
    return round(sum(path.stat().st_size for path in root.glob("videos/*front*/*/*.mp4")) / frames / 1000, 1)


def race(other: Peer, roots: dict[str, Path], rounds: int, reads: int, frames: int) -> dict[str, list[float]]:
    """Reads a second of every contender, one figure a round."""
    readers = {name: open_reader(root) for name, root in roots.items()}
    for reader in readers.values():
        reader.frames(0)
    found: dict[str, list[float]] = {}
    rng = random.Random(0)
    for _ in range(rounds):
        rows = [rng.randrange(frames) for _ in range(reads)]
        text = ",".join(map(str, rows))
        for name, root in roots.items():
            found.setdefault(f"{name} ours", []).append(reads / ours(readers[name], rows))
            for backend in ("pyav", "torchcodec"):
                seconds = other.ask("read", root, backend, text)["seconds"]
                found.setdefault(f"{name} {backend}", []).append(reads / seconds)
    return found


def summary(rates: dict[str, list[float]]) -> dict[str, Any]:
    """Medians, and the three ratios that have a bar."""
    middle = {name: round(statistics.median(values), 1) for name, values in rates.items()}
    best_av1 = max(middle["av1 pyav"], middle["av1 torchcodec"])
    best_h264 = max(middle["h264 pyav"], middle["h264 torchcodec"])
    ratios = {
        "av1 ours / its pyav (bar 3)": middle["av1 ours"] / middle["av1 pyav"],
        "av1 ours / its torchcodec (bar 1.5)": middle["av1 ours"] / middle["av1 torchcodec"],
        "our files, ours / its best on its files (bar 6)": middle["h264 ours"] / best_av1,
        "our files, ours / its best on ours": middle["h264 ours"] / best_h264,
    }
    return {"reads_per_s": middle, "ratios": {name: round(value, 2) for name, value in ratios.items()}}


def main() -> None:
    """Make both datasets, race, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=600)
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--reads", type=int, default=40)
    parser.add_argument(
        "--grain", type=float, default=3.0, help="sensor noise, grey levels: 3 a bright room, 8 a dim one"
    )
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, peer() as other:
        roots = {"av1": Path(folder) / "peer", "h264": Path(folder) / "ours"}
        other.ask("make", roots["av1"], args.frames, args.grain)
        record(roots["h264"], args.frames, args.grain)
        rates = race(other, roots, args.rounds, args.reads, args.frames)
        files = {name: {"codec": codec(root), "kb_a_frame": weight(root, args.frames)} for name, root in roots.items()}
        print(json.dumps({"grain": args.grain, "files": files, **summary(rates)}, indent=2))


if __name__ == "__main__":
    main()
