"""Run by the peer's Python: makes datasets in every way the peer has, each with what the peer itself reads from it.

    peer_datasets.py OUT

Every folder below OUT is a dataset; `NAME.npz` beside it holds rows `index` as the peer gives them with the deltas below.
"""

import json
import shutil
import sys
from pathlib import Path

import numpy as np
from lerobot.datasets import dataset_tools as tools
from lerobot.datasets.lerobot_dataset import LeRobotDataset

FPS, CAMERAS, SHAPE = 10, ("front", "wrist"), (48, 64, 3)
LENGTHS = (12, 7, 20, 9)
DELTAS = {"action": [-0.2, 0.0, 0.1, 0.5], "observation.images.front": [-0.1, 0.0], "observation.images.wrist": [0.0]}
VECTOR = {"dtype": "float32", "shape": (3,), "names": ["pan.pos", "lift.pos", "grip.pos"]}
REWARD = {"dtype": "float32", "shape": (1,), "names": None}
DONE = {"dtype": "bool", "shape": (1,), "names": None}
MATRIX = {"dtype": "float32", "shape": (2, 3), "names": None}


def features(dtype: str, matrix: bool) -> dict:
    image = {"dtype": dtype, "shape": SHAPE, "names": ["height", "width", "channels"]}
    numbers = {"action": VECTOR, "observation.state": VECTOR, "next.reward": REWARD, "next.done": DONE}
    numbers |= {"skin": MATRIX} if matrix else {}
    return numbers | {f"observation.images.{name}": image for name in CAMERAS}


def picture(camera: int, index: int, rng: np.random.Generator) -> np.ndarray:
    frame = rng.integers(0, 60, SHAPE, np.uint8)
    frame[:, : 8 + (index * 3) % 48] += np.uint8(90 + 40 * camera)
    return frame


def record(
    root: Path, dtype: str = "video", lengths: tuple = LENGTHS, matrix: bool = False, **options: object
) -> LeRobotDataset:
    dataset = LeRobotDataset.create(
        f"local/{root.name}",
        FPS,
        features(dtype, matrix),
        root=root,
        robot_type="fake",
        use_videos=dtype == "video",
        **options,
    )
    return fill(dataset, lengths)


def fill(dataset: LeRobotDataset, lengths: tuple) -> LeRobotDataset:
    rng = np.random.default_rng(5)
    for episode, length in enumerate(lengths):
        for index in range(length):
            row = {f"observation.images.{name}": picture(at, index, rng) for at, name in enumerate(CAMERAS)}
            row |= {"action": rng.normal(size=3).astype(np.float32)}
            row |= {"skin": rng.normal(size=(2, 3)).astype(np.float32)} if "skin" in dataset.features else {}
            row |= {"observation.state": rng.normal(size=3).astype(np.float32), "task": ("pick", "place")[episode % 2]}
            row |= {"next.reward": np.float32([index]), "next.done": np.array([index == length - 1])}
            dataset.add_frame(row)
        dataset.save_episode()
    dataset.finalize()
    return LeRobotDataset(dataset.repo_id, root=dataset.root)


def dump(root: Path) -> None:
    dataset = LeRobotDataset(f"local/{root.name}", root=root, delta_timestamps=DELTAS, video_backend="pyav")
    count = len(dataset)
    chosen = sorted({0, 1, count - 1, *range(5, count, 7)})
    rows: dict = {}
    for index in chosen:
        for key, value in dataset[index].items():
            rows.setdefault(key, []).append(value.numpy() if hasattr(value, "numpy") else str(value))
    meta = {"len": count, "episodes": dataset.num_episodes, "tasks": list(dataset.meta.tasks.index)}
    arrays = {key: np.array(values) for key, values in rows.items()}
    np.savez(root.with_suffix(".npz"), index_asked=chosen, meta=json.dumps(meta), **arrays)


def main(out: Path) -> None:
    recorded = record(out / "recorded")
    record(out / "rotated", lengths=(30, 30, 30), video_files_size_in_mb=0.02, data_files_size_in_mb=0.004)
    record(out / "streamed", streaming_encoding=True)
    # Its own edits cannot handle a matrix, so that one is alone.
    record(out / "matrices", matrix=True)
    images = record(out / "images", dtype="image")
    shutil.copytree(out / "recorded", out / "resumed")
    fill(LeRobotDataset.resume("local/resumed", root=out / "resumed"), (6, 8))
    tools.delete_episodes(recorded, [1], output_dir=out / "deleted", repo_id="local/deleted")
    tools.split_dataset(recorded, {"train": [0, 2], "val": [1, 3]}, output_dir=out / "split")
    for name in ("train", "val"):
        (out / "split" / name if (out / "split" / name).exists() else out / f"split_{name}").rename(
            out / f"half_{name}"
        )
    tools.merge_datasets(
        [recorded, LeRobotDataset("local/resumed", root=out / "resumed")], "local/merged", out / "merged"
    )
    added = {"next.success": (np.arange(sum(LENGTHS)) % 3 == 0, DONE)}
    tools.add_features(recorded, added, output_dir=out / "widened", repo_id="local/widened")
    tools.remove_feature(recorded, "next.done", output_dir=out / "narrowed", repo_id="local/narrowed")
    tools.convert_image_to_video_dataset(images, output_dir=out / "converted", repo_id="local/converted")
    shutil.copytree(out / "recorded", out / "retasked")
    tools.modify_tasks(LeRobotDataset("local/retasked", root=out / "retasked"), new_task="stack")
    for root in sorted(path for path in out.iterdir() if (path / "meta").is_dir()):
        dump(root)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
