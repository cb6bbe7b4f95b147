"""What an episode looked like: an H.264 file, all cameras side by side."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from lerobot_core.types import Features, Observation
from numpy.typing import NDArray

Image = NDArray[np.uint8]


def cameras_of(features: Features) -> list[str]:
    """Names of what can be filmed."""
    return [key for key, feature in features.items() if feature.is_image]


class Film:
    """One file; complete only after `close`.

    Args:
        path: where it goes; its folder is made.
        cameras: which pictures of an observation, left to right.
        fps: pictures a second.
    """

    def __init__(self, path: Path, cameras: Sequence[str], fps: float) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path, self._cameras, self._fps = path, tuple(cameras), fps
        self._file = av.open(str(path), "w", options={"movflags": "faststart"})
        self._stream: Any = None

    def add(self, obs: Observation) -> None:
        """One more picture."""
        image = side_by_side([obs[name] for name in self._cameras])
        if self._stream is None:
            self._stream = self._open(*image.shape[:2])
        self._write(self._stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))

    def close(self) -> None:
        """Write what is left. Idempotent."""
        if self._stream is not None:
            self._write(self._stream.encode(None))
            self._stream = None
        self._file.close()

    def _open(self, height: int, width: int) -> Any:
        stream: Any = self._file.add_stream("libx264", rate=Fraction(self._fps).limit_denominator(1000))
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.options = {"crf": "18", "preset": "veryfast"}
        stream.thread_count = 1  # the cores have episodes to play
        return stream

    def _write(self, packets: Any) -> None:
        for packet in packets:
            self._file.mux(packet)


class Studio:
    """Films the first episodes.

    Args:
        count: how many.
        features: what can be seen; its pictures are filmed.
        fps: pictures a second.
        folder: `videos/` is made in it.

    Attributes:
        paths: index of an episode -> its file.
    """

    def __init__(self, count: int, features: Features, fps: float, folder: Path) -> None:
        self._count, self._folder, self._fps = count, folder / "videos", fps
        self._cameras = cameras_of(features)
        self.paths: dict[int, Path] = {}

    def film(self, index: int, seed: int) -> Film | None:
        """The film of an episode, None of one that is not filmed."""
        if index >= self._count or not self._cameras:
            return None
        self.paths[index] = self._folder / f"episode-{index:03d}-seed-{seed}.mp4"
        return Film(self.paths[index], self._cameras, self._fps)


def side_by_side(images: Sequence[Image]) -> Image:
    """(H, W, 3): left to right, the lower ones filled up with black; H and W even, as 4:2:0 wants."""
    height = _even(max(image.shape[0] for image in images))
    width = _even(sum(image.shape[1] for image in images))
    canvas = np.zeros((height, width, 3), np.uint8)
    left = 0
    for image in images:
        canvas[: image.shape[0], left : left + image.shape[1]] = image
        left += image.shape[1]
    return canvas


def _even(length: int) -> int:
    return length + length % 2
