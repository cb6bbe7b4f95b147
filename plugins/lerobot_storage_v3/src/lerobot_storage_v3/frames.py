"""Random access to video frames: files stay open, a seek happens only when decoding on would cost more.

Decoders run without threads of their own (more never helped at these sizes, and they take the control loop's cores);
instead each camera is read by one Python thread, since decoding and conversion release the interpreter lock.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import av
import numpy as np
from av.video.reformatter import VideoReformatter
from lerobot_core.errors import StorageError
from numpy.typing import NDArray

from . import parquet

Convert = Callable[[av.VideoFrame], NDArray[np.generic]]

# A VGA decoder keeps a few MB; 32 a camera keeps 2 cameras under 200 MB and covers 6 GB of video at 200 MB a file.
OPEN_FILES = 32


def rgb() -> Convert:
    """A converter to uint8 (H, W, 3) that keeps its scaler between frames (a new one costs 0.5 ms at VGA)."""
    reformatter = VideoReformatter()

    def convert(frame: av.VideoFrame) -> NDArray[np.generic]:
        plane = reformatter.reformat(frame, format="rgb24", threads=1).planes[0]
        lines = np.frombuffer(memoryview(plane), np.uint8).reshape(frame.height, plane.line_size)
        return np.ascontiguousarray(lines[:, : frame.width * 3]).reshape(frame.height, frame.width, 3)

    return convert


class VideoFile:
    """One open video.

    Args:
        path: the file.
        root: the dataset, for messages.
        convert: a decoded frame to an array; its own, since it keeps state.

    Raises:
        StorageError: missing, or not a video.
    """

    def __init__(self, path: Path, root: Path, convert: Convert) -> None:
        if not path.is_file():
            raise parquet.missing(path, root)
        self.path, self._root, self._convert = path, root, convert
        try:
            self._container = av.open(str(path))
            self._stream = self._container.streams.video[0]
        except (av.FFmpegError, IndexError) as error:
            raise parquet.broken(path, root, error) from error
        self._stream.thread_type = "NONE"
        self._stream.codec_context.thread_count = 1
        self._base = float(self._stream.time_base or 0)
        self._decoded: Iterator[av.VideoFrame] = iter(())
        # Where decoding stands: the last frame given out by the decoder; None: nowhere, a seek is needed.
        self._at: int | None = None

    def read(self, times: Sequence[float], tolerance: float) -> list[NDArray[np.generic]]:
        """The frames shown at `times` (seconds in this file), each within `tolerance` seconds.

        Raises:
            StorageError: the video is damaged, or has no frame there: it is shorter than its rows.
        """
        found: dict[float, NDArray[np.generic]] = {}
        try:
            for time in sorted(set(times)):
                found[time] = self._convert(self._frame(time, tolerance))
        except av.FFmpegError as error:
            self._at = None
            raise parquet.broken(self.path, self._root, error) from error
        return [found[time] for time in times]

    def _frame(self, time: float, tolerance: float) -> av.VideoFrame:
        wanted = round(time / self._base)
        key = self._key_before(wanted)
        if self._at is None or self._at >= wanted or key > self._at:
            self._seek(key)
        frame = self._forward(wanted, tolerance)
        if frame is None and key > 0:
            # A file with reordered frames: the key frame found in decoding order is shown after the one we want.
            self._seek(self._key_before(key - 1))
            frame = self._forward(wanted, tolerance)
        if frame is None:
            raise self._no_frame(time)
        return frame

    def _key_before(self, wanted: int) -> int:
        entries = self._stream.index_entries
        found = entries.search_timestamp(wanted, backward=True)
        entry = entries[found] if found >= 0 else None
        return entry.timestamp if entry else 0

    def _seek(self, key: int) -> None:
        self._container.seek(key, stream=self._stream, backward=True)
        self._decoded = self._container.decode(self._stream)

    def _forward(self, wanted: int, tolerance: float) -> av.VideoFrame | None:
        slack = max(1, round(tolerance / self._base))
        self._at = None
        for frame in self._decoded:
            if frame.pts is None or frame.pts < wanted - slack:
                continue
            self._at = frame.pts
            return frame if frame.pts <= wanted + slack else None
        return None

    def _no_frame(self, time: float) -> StorageError:
        seconds = self._stream.frames * self._frame_seconds()
        return StorageError(
            f"{self.path.relative_to(self._root)} has no frame at {time:.3f} s",
            f"it holds {self._stream.frames} frames ({seconds:.3f} s): the video is shorter than its rows",
            f"lr dataset verify {self._root}   (then: lr dataset repair {self._root})",
        )

    def _frame_seconds(self) -> float:
        rate = self._stream.average_rate
        return float(1 / rate) if rate else 0.0

    def close(self) -> None:
        """Release the decoder and the file. Idempotent."""
        self._decoded, self._at = iter(()), None
        self._container.close()


class CameraFiles:
    """The videos of one camera, the most recently used ones kept open."""

    def __init__(self, root: Path, convert: Callable[[], Convert] = rgb, open_files: int = OPEN_FILES) -> None:
        self._root, self._convert, self._limit = root, convert, open_files
        self._open: OrderedDict[str, VideoFile] = OrderedDict()
        self._lock = threading.Lock()

    def read(self, file: str, times: Sequence[float], tolerance: float) -> list[NDArray[np.generic]]:
        """Frames of `file` (below the root) at `times`; see `VideoFile.read`."""
        with self._lock:
            return self._file(file).read(times, tolerance)

    def _file(self, file: str) -> VideoFile:
        video = self._open.get(file)
        if video is None:
            while len(self._open) >= self._limit:
                self._open.popitem(last=False)[1].close()
            video = self._open[file] = VideoFile(self._root / file, self._root, self._convert())
        self._open.move_to_end(file)
        return video

    def close(self) -> None:
        """Close every file. Idempotent."""
        with self._lock:
            while self._open:
                self._open.popitem()[1].close()


class Cameras:
    """Every camera of a dataset, read in parallel: the caller's thread takes one, a thread each takes the others."""

    def __init__(self, root: Path, converts: Mapping[str, Callable[[], Convert]]) -> None:
        self._files = {key: CameraFiles(root, convert) for key, convert in converts.items()}
        self._threads: ThreadPoolExecutor | None = None
        self._starting = threading.Lock()

    def read(
        self, wanted: Mapping[str, tuple[str, Sequence[float]]], tolerance: float
    ) -> dict[str, list[NDArray[np.generic]]]:
        """`{key: (file, times)}` -> `{key: frames}`; see `VideoFile.read`."""
        jobs = list(wanted.items())
        queued = {key: self._submit(key, file, times, tolerance) for key, (file, times) in jobs[1:]}
        found: dict[str, list[NDArray[np.generic]]] = {}
        for key, (file, times) in jobs:
            # What no thread has begun by now is quicker done here: on a busy machine a wake-up takes milliseconds.
            if key not in queued or queued[key].cancel():
                found[key] = self._files[key].read(file, times, tolerance)
        return found | {key: future.result() for key, future in queued.items() if key not in found}

    def _submit(
        self, key: str, file: str, times: Sequence[float], tolerance: float
    ) -> Future[list[NDArray[np.generic]]]:
        with self._starting:
            self._threads = self._threads or ThreadPoolExecutor(len(self._files) - 1, "video")
        return self._threads.submit(self._files[key].read, file, times, tolerance)

    def close(self) -> None:
        """Close every file and end the threads. Idempotent; a later read starts again."""
        if self._threads is not None:
            self._threads.shutdown()
            self._threads = None
        for files in self._files.values():
            files.close()
