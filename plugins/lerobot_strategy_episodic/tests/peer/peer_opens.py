"""Run by the peer's Python: `peer_opens.py ROOT` reads every row of a dataset and prints what it found as JSON."""

import json
import sys
from pathlib import Path

from lerobot.datasets.lerobot_dataset import LeRobotDataset

if __name__ == "__main__":
    root = Path(sys.argv[1])
    dataset = LeRobotDataset(f"local/{root.name}", root=root, video_backend="pyav")
    rows = [dataset[index] for index in range(len(dataset))]
    found = {
        "frames": len(rows),
        "episodes": dataset.num_episodes,
        "human": sum(bool(row["intervention"]) for row in rows),
        "front": list(rows[-1]["observation.images.front"].shape),
        "tasks": sorted({row["task"] for row in rows}),
    }
    print(json.dumps(found))
