"""Checks of the videos: frames against rows, and whether a camera shows anything."""

from __future__ import annotations

from dataclasses import dataclass

import av
import numpy as np
from lerobot_core.errors import StorageError
from lerobot_core.features import image_shape
from numpy.typing import NDArray

from . import depth, parquet
from .findings import Findings, Watch, ranges
from .frames import VideoFile, rgb
from .lint_values import moved
from .reader import TOLERANCE_S, LerobotReader

# A still picture for this long while the robot moves is a frozen camera.
_FROZEN_S = 2.0
_LOOK_EVERY_S = 0.5
# Levels of 255: coding noise of an unchanged picture stays below, sensor noise above.
_SAME = 0.25
_BLANK = 1.0


@dataclass(frozen=True)
class Track:
    """What a video file holds.

    Attributes:
        times: when each frame is shown, seconds, in order.
        promised: the frames its header speaks of; 0 when it does not say.
    """

    times: NDArray[np.float64]
    promised: int
    width: int
    height: int


def read_track(path_name: str, reader: LerobotReader) -> Track:
    """Walk through a video without decoding it: 200 MB take 0.2 s.

    Raises:
        StorageError: missing or damaged.
    """
    path = reader.root / path_name
    if not path.is_file():
        raise parquet.missing(path, reader.root)
    try:
        with av.open(str(path)) as container:
            stream = container.streams.video[0]
            base = float(stream.time_base or 0)
            packets = [packet for packet in container.demux(stream) if packet.size and not packet.is_corrupt]
            times = np.sort([float(packet.pts) * base for packet in packets if packet.pts is not None])
            return Track(times, stream.frames, stream.width, stream.height)
    except (av.FFmpegError, IndexError) as error:
        raise parquet.broken(path, reader.root, error) from error


def check_videos(reader: LerobotReader, found: Findings, decode: bool, watch: Watch) -> None:
    """Every camera, one file at a time."""
    files = [(key, name) for key in reader.info.video_keys for name in reader.episodes.video_files[key]]
    for number, (key, name) in enumerate(files):
        watch("videos", number, len(files))
        try:
            track = read_track(name, reader)
            _check_track(reader, key, name, track, found)
            _look(reader, key, name, track, decode, found)
        except StorageError as error:
            found.failure(name, error)
    watch("videos", len(files), len(files))


def _check_track(reader: LerobotReader, key: str, name: str, track: Track, found: Findings) -> None:
    count = len(track.times)
    if track.promised > count:
        found.error(name, f"truncated: {track.promised} frames were written, {count} are left", found.repair)
    height, width, _ = image_shape(reader.info.features[key])
    if (track.width, track.height) != (width, height):
        found.error(name, f"{track.width}x{track.height} pixels, info.json says {width}x{height}")
    short, late, used = [], [], 0
    for episode in reader.episodes.video_files[key][name].tolist():
        span, rows = reader.episodes.span(episode, key), reader.episodes[episode].length
        inside = track.times[_between(track.times, span.start, span.start + rows / reader.fps, reader.fps)]
        used += len(inside)
        if len(inside) != rows:
            short.append((episode, len(inside), rows))
        elif np.abs(inside - span.start - np.arange(rows) / reader.fps).max() > TOLERANCE_S:
            late.append(episode)
    _report(name, key, short, late, found)
    if not short and used < count:
        found.warning(
            name, f"{count - used} of its {count} frames belong to no episode", f"lr dataset compact {reader.root}"
        )


def _between(times: NDArray[np.float64], start: float, stop: float, fps: float) -> slice:
    half = 0.5 / fps
    return slice(int(np.searchsorted(times, start - half)), int(np.searchsorted(times, stop - half)))


def _report(name: str, key: str, short: list[tuple[int, int, int]], late: list[int], found: Findings) -> None:
    for episode, frames, rows in short:
        text = f"{frames} frames for {rows} rows in {name}"
        found.error(f"episode {episode}, {key}", text, f"{found.repair}   (or: {found.without([episode])})")
    if late:
        text = f"frames are more than {TOLERANCE_S} s off their rows (fps drift) in episodes {ranges(late)}"
        found.error(f"{name}, {key}", text, found.without(late))


def _look(reader: LerobotReader, key: str, name: str, track: Track, decode: bool, found: Findings) -> None:
    entry = reader.info.features[key]
    video = VideoFile(reader.root / name, reader.root, depth.converter(entry) if depth.is_depth(entry) else rgb())
    try:
        # The end is what a cut-off copy loses.
        if len(track.times):
            video.read([float(track.times[-1])], TOLERANCE_S)
        if decode and not depth.is_depth(entry):
            _look_for_stills(reader, key, name, video, found)
    finally:
        video.close()


def _look_for_stills(reader: LerobotReader, key: str, name: str, video: VideoFile, found: Findings) -> None:
    frozen, blank = [], []
    for episode in reader.episodes.video_files[key][name].tolist():
        start, rows = reader.episodes.span(episode, key).start, reader.episodes[episode].length
        shown = np.arange(0, rows, max(1, round(_LOOK_EVERY_S * reader.fps)))
        # One pixel in 8 each way tells a still from a moving picture, at a hundredth of the work.
        shots = [video.read([start + row / reader.fps], TOLERANCE_S)[0][::8, ::8] for row in shown]
        looks = np.array(shots, np.int16)
        if looks.std(axis=(1, 2, 3)).max() < _BLANK:
            blank.append(episode)
        elif _freezes(reader, episode, looks, shown):
            frozen.append(episode)
    if blank:
        found.warning(key, f"nothing but one colour in episodes {ranges(blank)}", "check the lens cap and the exposure")
    if frozen:
        text = (
            f"the picture stands still for {_FROZEN_S:.0f} s or more while the robot moves in episodes {ranges(frozen)}"
        )
        found.warning(key, text, f"look: lr dataset show {reader.root} --episode {frozen[0]}")


def _freezes(reader: LerobotReader, episode: int, looks: NDArray[np.int16], shown: NDArray[np.int64]) -> bool:
    same = np.abs(np.diff(looks, axis=0)).mean(axis=(1, 2, 3)) < _SAME
    needed = max(2, round(_FROZEN_S / _LOOK_EVERY_S))
    runs = np.convolve(same, np.ones(needed), "valid") == needed if len(same) >= needed else np.zeros(0, bool)
    if not runs.any():
        return False
    state = reader.states(episode)[1]
    return any(moved(state, int(shown[at]), int(shown[at + needed]) + 1) for at in np.flatnonzero(runs))
