"""The peer's side of `reads.py`; run by the Python that has lerobot. Commands on stdin, one JSON answer a line.

make ROOT FRAMES            record two cameras with the peer's own writer and its default codec
read ROOT BACKEND I,I,…     read these rows; seconds
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lerobot.datasets.lerobot_dataset import LeRobotDataset
from scene import Scene

CAMERAS = ("front", "wrist")
JOINTS = [f"joint_{number}.pos" for number in range(6)]
_OPEN: dict[tuple[str, str], Any] = {}


def make(root: str, frames: int, grain: float) -> None:
    """One episode of two VGA cameras."""
    vector = {"dtype": "float32", "shape": (6,), "names": JOINTS}
    image = {"dtype": "video", "shape": (480, 640, 3), "names": ["height", "width", "channels"]}
    features = {"action": vector, "observation.state": vector} | {
        f"observation.images.{name}": image for name in CAMERAS
    }
    dataset = LeRobotDataset.create("bench/reads", 30, features, root=root, robot_type="bench", use_videos=True)
    scenes = [Scene(seed, grain) for seed in range(2)]
    for index in range(frames):
        pictures = [scene.frame(index) for scene in scenes]
        joints = np.full(6, index, np.float32)
        row = {f"observation.images.{name}": picture for name, picture in zip(CAMERAS, pictures, strict=True)}
        dataset.add_frame({**row, "action": joints, "observation.state": joints, "task": "bench"})
    dataset.save_episode()
    dataset.finalize()


def read(root: str, backend: str, rows: list[int]) -> float:
    """Seconds for these rows."""
    if (root, backend) not in _OPEN:
        _OPEN[root, backend] = LeRobotDataset("bench/reads", root=root, video_backend=backend)
        _OPEN[root, backend][0]
    dataset = _OPEN[root, backend]
    began = time.perf_counter()
    for row in rows:
        item = dataset[row]
    seconds = time.perf_counter() - began
    assert item["observation.images.front"].shape == (3, 480, 640)
    return seconds


def main() -> None:
    """Serve until stdin ends."""
    out, sys.stdout = sys.stdout, sys.stderr
    for line in sys.stdin:
        verb, root, *rest = line.split()
        answer: dict[str, Any] = {"threads": torch.get_num_threads()}
        if verb == "make":
            make(root, int(rest[0]), float(rest[1]))
        else:
            answer["seconds"] = read(root, rest[0], [int(row) for row in rest[1].split(",")])
        print(json.dumps(answer), file=out, flush=True)


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))
    main()
