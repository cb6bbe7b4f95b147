"""Run by the peer's Python: `peer_opens.py ROOT` reads every row of a dataset and prints what it found as JSON."""

import json
import sys
from pathlib import Path

from lerobot.datasets.lerobot_dataset import LeRobotDataset

if __name__ == "__main__":
    root = Path(sys.argv[1])
    dataset = LeRobotDataset(f"local/{root.name}", root=root, video_backend="pyav")
    rows = [dataset[index] for index in range(len(dataset))]
    lengths = [0] * dataset.num_episodes
    for row in rows:
        lengths[int(row["episode_index"])] += 1
    found = {
        "lengths": lengths,
        "human": sum(bool(row["intervention"]) for row in rows),
        "action": list(rows[0]["action"].shape),
        "front": list(rows[-1]["observation.images.front"].shape),
        "tasks": sorted({row["task"] for row in rows}),
    }
    print(json.dumps(found))
