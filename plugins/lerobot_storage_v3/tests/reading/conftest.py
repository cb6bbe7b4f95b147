"""Small datasets written by hand, in the ways other writers write them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pyarrow as pa
import pytest
from lerobot_core.features import image_entry, image_key, vector_entry
from lerobot_storage_v3 import episodes_meta, layout, parquet, schema, tasks
from numpy.typing import NDArray

GOLDEN = Path(__file__).parents[4] / "tests" / "golden" / "pusht"


@dataclass
class Made:
    """A dataset and what is in it."""

    root: Path
    info: layout.Info
    lengths: tuple[int, ...]
    states: NDArray[np.float32]
    actions: NDArray[np.float32]
    cameras: tuple[str, ...]

    def level(self, camera: str, index: int) -> int:
        """The grey of the left half of a frame; the right half is its negative."""
        return level(self.cameras.index(camera), index)

    def shows(self, frame: NDArray[Any], camera: str, index: int) -> bool:
        """True when a decoded frame is frame `index` of `camera`."""
        return abs(float(frame[:, :24].mean()) - self.level(camera, index)) < 3


@dataclass
class Recipe:
    """How to write one."""

    lengths: tuple[int, ...] = (12, 7, 20)
    fps: int = 10
    cameras: tuple[str, ...] = ("front", "wrist")
    names: Any = ("pan.pos", "lift.pos", "grip.pos")
    tasks: tuple[str, ...] = ("pick", "place")
    file_per_episode: bool = False
    codec: dict[str, str] = field(default_factory=lambda: {"g": "2", "bf": "0", "crf": "12", "preset": "ultrafast"})
    as_images: bool = False
    outcomes: tuple[str, ...] = ()
    extra: dict[str, tuple[dict[str, Any], Callable[[int], Any]]] = field(default_factory=dict)


def level(camera: int, index: int) -> int:
    return 20 + (index * 7 + camera * 50) % 200


def picture(camera: int, index: int) -> NDArray[np.uint8]:
    frame = np.full((48, 64, 3), level(camera, index), np.uint8)
    frame[:, 32:] = 255 - frame[:, 32:]
    return frame


def png(frame: NDArray[np.uint8]) -> bytes:
    context = av.CodecContext.create("png", "w")
    assert isinstance(context, av.VideoCodecContext)
    context.width, context.height, context.pix_fmt = frame.shape[1], frame.shape[0], "rgb24"
    context.time_base = Fraction(1, 10)
    video = av.VideoFrame.from_ndarray(frame, format="rgb24")
    return b"".join(bytes(packet) for packet in [*context.encode(video), *context.encode(None)])


def write_video(path: Path, frames: Sequence[NDArray[np.uint8]], fps: int, options: dict[str, str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w", options={"movflags": "faststart"}) as container:
        stream = container.add_stream("libx264", rate=fps, options=options)
        stream.width, stream.height, stream.pix_fmt = frames[0].shape[1], frames[0].shape[0], "yuv420p"
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode(None))


def numbers(values: NDArray[Any]) -> dict[str, list[Any]]:
    rows = values.reshape(len(values), -1).astype(np.float64)
    quantiles = {f"q{q:02d}": np.quantile(rows, q / 100, axis=0).tolist() for q in (1, 10, 50, 90, 99)}
    found = {"min": rows.min(0), "max": rows.max(0), "mean": rows.mean(0), "std": rows.std(0)}
    return {name: value.tolist() for name, value in found.items()} | {"count": [len(rows)]} | quantiles


def picture_stats(count: int) -> dict[str, list[Any]]:
    triple = [[[0.5]]] * 3
    return {stat: [count] if stat == "count" else triple for stat in episodes_meta.STATS}


def features(recipe: Recipe) -> dict[str, Any]:
    vector = {**vector_entry(["x"] * 3), "names": recipe.names and list(recipe.names)}
    cameras = {image_key(name): image_entry((48, 64, 3), not recipe.as_images) for name in recipe.cameras}
    extra = {key: entry for key, (entry, _) in recipe.extra.items()}
    return {"action": vector, "observation.state": vector, **cameras, **extra, **schema.BOOKKEEPING}


def build(root: Path, recipe: Recipe | None = None) -> Made:
    """Write a dataset at `root`."""
    recipe = recipe or Recipe()
    total = sum(recipe.lengths)
    rng = np.random.default_rng(7)
    states = np.cumsum(rng.normal(size=(total, 3)), axis=0).astype(np.float32)
    info = layout.Info(fps=recipe.fps, features=features(recipe), robot_type="fake", total_tasks=len(recipe.tasks))
    info.total_episodes, info.total_frames = len(recipe.lengths), total
    info.splits = {"train": f"0:{len(recipe.lengths)}"}
    if recipe.as_images or not recipe.cameras:
        info.video_path = None
    made = Made(root, info, recipe.lengths, states, (states * 2).astype(np.float32), recipe.cameras)
    _write_rows(made, recipe)
    _write_videos(made, recipe)
    _write_meta(made, recipe)
    return made


def _columns(made: Made, recipe: Recipe) -> dict[str, Any]:
    episode = np.repeat(np.arange(len(made.lengths)), made.lengths)
    within = np.concatenate([np.arange(length) for length in made.lengths])
    columns: dict[str, Any] = {"action": list(made.actions), "observation.state": list(made.states)}
    if recipe.as_images:
        for number, name in enumerate(recipe.cameras):
            cells = [{"bytes": png(picture(number, index)), "path": None} for index in range(len(episode))]
            columns[image_key(name)] = cells
    for key, (_, value) in recipe.extra.items():
        columns[key] = [value(index) for index in range(len(episode))]
    return columns | {
        "timestamp": (within / made.info.fps).astype(np.float32),
        "frame_index": within,
        "episode_index": episode,
        "index": np.arange(len(episode)),
        "task_index": episode % len(recipe.tasks),
    }


def _write_rows(made: Made, recipe: Recipe) -> None:
    arrow = schema.arrow_schema(made.info.features)
    columns = _columns(made, recipe)
    table = pa.table({name: pa.array(columns[name], arrow.field(name).type) for name in arrow.names}, arrow)
    start = 0
    for number, length in enumerate(made.lengths):
        if recipe.file_per_episode:
            parquet.write(made.root / made.info.data_file(0, number), table.slice(start, length))
        start += length
    if not recipe.file_per_episode:
        parquet.write(made.root / made.info.data_file(0, 0), table, made.lengths)


def _write_videos(made: Made, recipe: Recipe) -> None:
    if recipe.as_images:
        return
    for number, name in enumerate(recipe.cameras):
        frames = [picture(number, index) for index in range(sum(made.lengths))]
        ends = np.cumsum(made.lengths).tolist() if recipe.file_per_episode else [len(frames)]
        for file, (start, stop) in enumerate(zip([0, *ends], ends, strict=False)):
            path = made.root / made.info.video_file(image_key(name), 0, file)
            write_video(path, frames[start:stop], recipe.fps, recipe.codec)


def _episode_row(made: Made, recipe: Recipe, number: int) -> dict[str, Any]:
    start, length = sum(made.lengths[:number]), made.lengths[number]
    file = number if recipe.file_per_episode else 0
    row: dict[str, Any] = {
        "episode_index": number,
        "tasks": [recipe.tasks[number % len(recipe.tasks)]],
        "length": length,
        "data/chunk_index": 0,
        "data/file_index": file,
        "dataset_from_index": start,
        "dataset_to_index": start + length,
        "meta/episodes/chunk_index": 0,
        "meta/episodes/file_index": 0,
    }
    for key in made.info.video_keys:
        first = 0.0 if recipe.file_per_episode else start / recipe.fps
        spans = {
            "chunk_index": 0,
            "file_index": file,
            "from_timestamp": first,
            "to_timestamp": first + length / recipe.fps,
        }
        row |= {episodes_meta.video_column(key, name): value for name, value in spans.items()}
    if recipe.outcomes:
        row["outcome"] = recipe.outcomes[number]
    return row


def _write_meta(made: Made, recipe: Recipe) -> None:
    stats = {key: picture_stats(made.info.total_frames) for key in made.info.image_keys}
    columns = _columns(made, recipe)
    for key, entry in made.info.features.items():
        if episodes_meta.has_stats(key, entry) and key not in stats:
            stats[key] = numbers(np.array(list(columns[key])))
    rows = [_episode_row(made, recipe, number) for number in range(len(made.lengths))]
    for row in rows:
        for key, values in stats.items():
            row |= {episodes_meta.stat_column(key, stat): value for stat, value in values.items()}
    arrow = episodes_meta.schema(made.info, outcome=bool(recipe.outcomes))
    parquet.write(made.root / layout.episodes_file(0, 0), pa.Table.from_pylist(rows, arrow))
    tasks.write_tasks(made.root, recipe.tasks)
    layout.write_json(made.root / layout.STATS, stats)
    layout.write_info(made.root, made.info)


@pytest.fixture
def made(tmp_path: Path) -> Made:
    """Three episodes of 12, 7 and 20 rows, two cameras, everything in one file each."""
    return build(tmp_path / "set")


@pytest.fixture
def make(tmp_path: Path) -> Callable[..., Made]:
    """`make(lengths=…, …)`: another one; see `Recipe`."""
    count = iter(range(100))

    def factory(**changes: Any) -> Made:
        return build(tmp_path / f"set{next(count)}", Recipe(**changes))

    return factory


@pytest.fixture
def golden() -> Path:
    """A dataset the peer made from a real environment."""
    return GOLDEN


@pytest.fixture
def rewrite() -> Callable[[Path, Callable[[pa.Table], pa.Table]], None]:
    """Change a parquet file in place."""

    def change(path: Path, how: Callable[[pa.Table], pa.Table]) -> None:
        parquet.write(path, how(parquet.read(path, path.parents[2])))

    return change
