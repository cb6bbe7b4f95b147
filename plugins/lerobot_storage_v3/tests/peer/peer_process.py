"""What the peer does with a dataset, in its own Python: `peer_process.py read|create|resume ROOT [OUT|FIRST COUNT]`.

`read` writes every row it finds into OUT (npz), images as uint8. `create` and `resume` record one episode of rows FIRST ..
FIRST + COUNT - 1 with the pictures and numbers of the rig in `conftest.py` beside the writer's tests.
"""

import json
import sys

import numpy as np
from lerobot.datasets.lerobot_dataset import LeRobotDataset

FPS, CAMERAS, SHAPE = 10, ("front", "wrist"), (48, 64, 3)
NAMES = ["pan.pos", "grip.pos"]
VECTOR = {"dtype": "float32", "shape": (2,), "names": NAMES}
PICTURE = {"dtype": "video", "shape": SHAPE, "names": ["height", "width", "channels"]}
FEATURES = {"action": VECTOR, "observation.state": VECTOR} | {f"observation.images.{name}": PICTURE for name in CAMERAS}


def frame(index: int) -> dict:
    grey = {
        f"observation.images.{name}": np.full(SHAPE, 20 + (index * 7 + 50 * place) % 200, np.uint8)
        for place, name in enumerate(CAMERAS)
    }
    action = np.array([index / 8, index / 16], np.float32)
    state = np.array([index / 4, -index / 2], np.float32)
    return {"action": action, "observation.state": state, "task": "pick", **grey}


def record(dataset: LeRobotDataset, first: int, count: int) -> None:
    for index in range(first, first + count):
        dataset.add_frame(frame(index))
    dataset.save_episode()
    dataset.finalize()


def read(root: str, out: str) -> None:
    dataset = LeRobotDataset("local/set", root=root, video_backend="pyav")
    rows: dict[str, list] = {}
    for index in range(len(dataset)):
        for key, value in dataset[index].items():
            value = value.numpy() if hasattr(value, "numpy") else value
            if key.startswith("observation.images."):
                value = (value.transpose(1, 2, 0) * 255).round().astype(np.uint8)
            rows.setdefault(key, []).append(value)
    meta = {"episodes": dataset.num_episodes, "fps": dataset.fps, "stats": sorted(dataset.meta.stats)}
    np.savez(out, meta=json.dumps(meta), **{key: np.array(values) for key, values in rows.items()})


if __name__ == "__main__":
    what, root, *rest = sys.argv[1:]
    if what == "read":
        read(root, rest[0])
    elif what == "create":
        made = LeRobotDataset.create("local/set", FPS, FEATURES, root=root, robot_type="fake")
        record(made, int(rest[0]), int(rest[1]))
    else:
        record(LeRobotDataset.resume("local/set", root=root), int(rest[0]), int(rest[1]))
