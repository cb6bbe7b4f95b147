"""Videos encoded again, with another codec or quality."""

from __future__ import annotations

import copy
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

import av
import numpy as np
from lerobot_core.errors import StorageError
from lerobot_core.features import Entry, image_shape
from numpy.typing import NDArray

from .. import depth, layout
from ..codecs import Codec, choose, video_info
from ..findings import Watch, silent
from ..layout import Info
from ..lint_video import read_track
from ..reader import TOLERANCE_S, LerobotReader
from .swap import link_files
from .videos import write_video


def video_entry(entry: Entry, codec: str, crf: int | None, gop: int, fps: int) -> Entry:
    """A camera's entry once its pictures are encoded so.

    Raises:
        StorageError: the codec does not open for this size.
    """
    height, width, _ = image_shape(entry)
    chosen = choose(codec, ((height, width),), fps, crf, gop)
    return {"dtype": "video", "shape": [height, width, 3], "names": ["height", "width", "channels"]} | {
        "info": video_info(chosen, height, width, fps)
    }


def reencode(root: Path, target: Path, codec: str, crf: int | None, gop: int, watch: Watch = silent) -> Info:
    """A copy of the dataset in `target`, every colour video encoded anew, frame for frame; as many at once as there are cores.

    Raises:
        StorageError: the codec does not open here, or a video is damaged.
    """
    reader = LerobotReader(root)
    try:
        info = copy.deepcopy(reader.info)
        jobs: list[tuple[str, str, Codec]] = []
        for key in info.video_keys:
            entry = info.features[key]
            if depth.is_depth(entry):
                continue
            info.features[key] = video_entry(entry, codec, crf, gop, info.fps)
            chosen = choose(codec, (image_shape(entry)[:2],), info.fps, crf, gop)
            jobs += [(key, file, chosen) for file in reader.episodes.video_files[key]]
        link_files(root, target, (layout.INFO, *(file for _, file, _ in jobs)))
        _run(reader, target, jobs, watch)
    finally:
        reader.close()
    layout.write_info(target, info)
    return info


def _run(reader: LerobotReader, target: Path, jobs: list[tuple[str, str, Codec]], watch: Watch) -> None:
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        futures = [pool.submit(_one, reader, target, *job) for job in jobs]
        watch("videos", 0, len(jobs))
        for number, future in enumerate(as_completed(futures), 1):
            future.result()
            watch("videos", number, len(jobs))


def _one(reader: LerobotReader, target: Path, key: str, file: str, codec: Codec) -> None:
    track = read_track(file, reader)
    grid = np.arange(len(track.times)) / reader.info.fps
    if len(track.times) == 0 or np.abs(track.times - grid).max() > TOLERANCE_S:
        raise StorageError(
            f"{file} in {reader.root} does not run at {reader.info.fps} frames a second",
            "",
            f"lr dataset verify {reader.root}",
        )
    (target / file).parent.mkdir(parents=True, exist_ok=True)
    height, width, _ = image_shape(reader.info.features[key])
    count = write_video(target / file, _frames(reader.root / file), codec, (height, width), reader.info.fps)
    if count != len(track.times):
        raise StorageError(
            f"{file} in {reader.root} is damaged",
            f"{count} of {len(track.times)} frames can be decoded",
            f"lr dataset verify {reader.root}",
        )


def _frames(path: Path) -> Iterator[NDArray[np.uint8]]:
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.codec_context.thread_count = 1
        for frame in container.decode(stream):
            yield np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)
