"""Run by the peer's Python: `peer_opens.py ROOT…` writes every row it reads from each dataset into ROOT.npz."""

import json
import sys
from pathlib import Path

import numpy as np
from lerobot.datasets.lerobot_dataset import LeRobotDataset


def dump(root: Path) -> None:
    dataset = LeRobotDataset(f"local/{root.name}", root=root, video_backend="pyav")
    rows: dict = {}
    for index in range(len(dataset)):
        for key, value in dataset[index].items():
            rows.setdefault(key, []).append(value.numpy() if hasattr(value, "numpy") else value)
    stats = {key: sorted(found) for key, found in dataset.meta.stats.items()}
    meta = {"episodes": dataset.num_episodes, "tasks": list(dataset.meta.tasks.index), "stats": stats}
    np.savez(root.with_suffix(".npz"), meta=json.dumps(meta), **{key: np.array(values) for key, values in rows.items()})


if __name__ == "__main__":
    for name in sys.argv[1:]:
        dump(Path(name))
