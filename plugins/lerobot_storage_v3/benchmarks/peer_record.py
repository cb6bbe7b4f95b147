"""The same recording by the peer, in its own Python: `peer_record.py CAMERAS SECONDS EPISODES`; prints one JSON line.

It encodes while recording (`streaming_encoding`), with its default codec.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from lerobot.datasets.lerobot_dataset import LeRobotDataset
from scene import HEIGHT, WIDTH, Scene

FPS, JOINTS = 30, 6


def main() -> None:
    """Record paced rows and say what the loop paid."""
    cameras, seconds, episodes = int(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3])
    folder = Path(tempfile.mkdtemp(prefix="lr-bench-"))
    vector = {"dtype": "float32", "shape": (JOINTS,), "names": [f"joint_{index}.pos" for index in range(JOINTS)]}
    picture = {"dtype": "video", "shape": (HEIGHT, WIDTH, 3), "names": ["height", "width", "channels"]}
    features = {"action": vector, "observation.state": vector}
    features |= {f"observation.images.cam{index}": picture for index in range(cameras)}
    dataset = LeRobotDataset.create(
        "local/bench", FPS, features, root=folder / "set", robot_type="bench", streaming_encoding=True
    )
    scenes = [Scene(seed) for seed in range(cameras)]
    adds, late, saves = [], [], []
    for _ in range(episodes):
        start = time.perf_counter()
        for index in range(int(seconds * FPS)):
            deadline = start + index / FPS
            time.sleep(max(0.0, deadline - time.perf_counter()))
            late.append(time.perf_counter() - deadline)
            joints = np.sin(index / 30 + np.arange(JOINTS)).astype(np.float32)
            frame = {"action": joints, "observation.state": joints, "task": "bench"}
            frame |= {f"observation.images.cam{number}": scene.frame(index) for number, scene in enumerate(scenes)}
            before = time.perf_counter()
            dataset.add_frame(frame)
            adds.append(time.perf_counter() - before)
        before = time.perf_counter()
        dataset.save_episode()
        saves.append(round((time.perf_counter() - before) * 1000, 1))
    dataset.finalize()
    print(
        json.dumps(
            {
                "cameras": cameras,
                "codec": dataset.meta.info.features["observation.images.cam0"]["info"]["video.codec"],
                "add_ms": {f"p{q}": round(float(np.percentile(adds, q)) * 1000, 3) for q in (50, 99, 100)},
                "late_ms": {f"p{q}": round(float(np.percentile(late, q)) * 1000, 3) for q in (99, 100)},
                "ticket_ms": saves,
            }
        )
    )
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()
