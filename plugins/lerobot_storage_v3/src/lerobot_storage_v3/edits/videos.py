"""The videos of a new dataset: whole files linked, parts copied packet by packet, and encoded only where a cut falls
between key frames."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.video.stream import VideoStream
from lerobot_core.errors import StorageError
from lerobot_core.features import image_shape
from numpy.typing import NDArray

from .. import remux
from ..codecs import Codec, choose
from ..encoder import CameraEncoder, VideoPacket
from ..layout import MIB, Info, next_file
from .sources import Take
from .swap import link


@dataclass(frozen=True)
class Placed:
    """Where an episode's frames are in the new dataset."""

    chunk: int
    file: int
    start: float
    stop: float


def place(target: Path, info: Info, key: str, takes: Sequence[Take], done: Callable[[], None]) -> list[Placed]:
    """Make the video files of camera `key` for these episodes; `done` is called after each episode.

    Raises:
        StorageError: a video is damaged or shorter than its rows.
    """
    files = _Files(target, info, key)
    for run, whole in _runs(takes, key):
        if whole:
            files.link(run)
        else:
            for take in run:
                files.cut(take)
        for _ in run:
            done()
    files.close()
    return files.placed


def _runs(takes: Sequence[Take], key: str) -> Iterator[tuple[list[Take], bool]]:
    """Neighbouring episodes that are one whole source file (True), or one by one (False)."""
    at = 0
    while at < len(takes):
        take = takes[at]
        if take.source.info.features[key]["dtype"] == "image":
            yield [take], False
            at += 1
            continue
        together = take.source.together(key, take.source.span(take.episode, key).file)
        run = list(takes[at : at + len(together)])
        whole = [(other.source, other.episode) for other in run] == [(take.source, number) for number in together]
        yield (run, True) if whole else (run[:1], False)
        at += len(run) if whole else 1


class _Files:
    """The video files of one camera, in order."""

    def __init__(self, target: Path, info: Info, key: str) -> None:
        self._target, self._info, self._key = target, info, key
        self._place = (0, -1)
        self._open: _Cut | None = None
        self.placed: list[Placed] = []

    def _next(self) -> Path:
        self._place = next_file(*self._place, self._info.chunks_size)
        path = self._target / self._info.video_file(self._key, *self._place)
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def link(self, run: Sequence[Take]) -> None:
        """A whole file of a source."""
        self.close()
        spans = [take.source.span(take.episode, self._key) for take in run]
        link(run[0].source.root / spans[0].file, self._next())
        self.placed += [Placed(*self._place, span.start, span.stop) for span in spans]

    def cut(self, take: Take) -> None:
        """One episode out of a file, or out of its rows."""
        start = self._copied(take)
        if start is None:
            self.close()
            encode(take, self._key, self._next(), self._info)
            start = 0
        stop = (start + take.length) / self._info.fps
        self.placed.append(Placed(*self._place, start / self._info.fps, stop))

    def _copied(self, take: Take) -> int | None:
        """At which frame of the current file its packets are now; None when they cannot be copied."""
        if take.source.info.features[self._key]["dtype"] == "image":
            return None
        source = take.source.root / take.source.span(take.episode, self._key).file
        signature = remux.signature(source)
        packets = cut_packets(take, self._key, self._info.fps)
        if packets is None:
            return None
        if self._open is not None and not self._open.takes(signature, self._info.video_files_size_in_mb * MIB):
            self.close()
        self._open = self._open or _Cut(self._next(), signature, self._info.fps)
        return self._open.add(packets, source)

    def close(self) -> None:
        """End the file that is being written."""
        if self._open is not None:
            self._open.close()
            self._open = None


class _Cut:
    """A video file made of episodes from files that look alike."""

    def __init__(self, path: Path, signature: tuple[object, ...], fps: int) -> None:
        self._signature, self._fps = signature, fps
        self._container = av.open(str(path), "w", format="mp4", options={"movflags": "faststart"})
        self._stream: VideoStream | None = None
        self._bytes = self._frames = 0

    def takes(self, signature: tuple[object, ...], limit: int) -> bool:
        """True when an episode of such a file can follow."""
        return signature == self._signature and self._bytes < limit

    def add(self, packets: Sequence[VideoPacket], source: Path) -> int:
        """Append an episode; returns its first frame's number."""
        if self._stream is None:
            with av.open(str(source)) as container:
                template = container.streams.video[0]
                self._stream = self._container.add_stream_from_template(template, opaque=True)
        start = self._frames
        base = Fraction(packets[0].time_base or 1)
        shift = round(Fraction(start, self._fps) / base) - min(packet.pts or 0 for packet in packets)
        for packet in packets:
            packet.pts, packet.dts = (packet.pts or 0) + shift, (packet.dts or 0) + shift
            packet.stream = self._stream
            self._bytes += packet.size
            self._container.mux(packet)
        self._frames += len(packets)
        return start

    def close(self) -> None:
        """End the file."""
        self._container.close()


def cut_packets(take: Take, key: str, fps: int) -> list[VideoPacket] | None:
    """An episode's packets in the order they are stored; None when they do not begin with a key frame.

    Raises:
        StorageError: there are fewer frames than rows.
    """
    span = take.source.span(take.episode, key)
    with av.open(str(take.source.root / span.file)) as source:
        packets = _packets(source, span.start, take.length, fps)
    if len(packets) != take.length:
        raise _too_short(take, span.file, len(packets))
    return packets if packets[0].is_keyframe else None


def _packets(source: av.container.InputContainer, start: float, rows: int, fps: int) -> list[VideoPacket]:
    """The packets of `rows` frames from `start` seconds on, in the order they are stored."""
    stream = source.streams.video[0]
    base = float(stream.time_base or 1)
    first, last = (start - 0.5 / fps) / base, (start + (rows - 0.5) / fps) / base
    source.seek(round(start / base), stream=stream)
    found: list[VideoPacket] = []
    for packet in source.demux(stream):
        if packet.size and packet.pts is not None and first <= packet.pts < last:
            found.append(packet)
        if len(found) == rows:
            break
    return found


def _too_short(take: Take, file: str, frames: int) -> StorageError:
    root = take.source.root
    return StorageError(
        f"episode {take.episode} of {root} has {frames} frames for {take.length} rows",
        f"in {file}",
        f"lr dataset verify {root}   (or leave it out: lr dataset delete {root} --episodes {take.episode})",
    )


def codec_of(entry: dict[str, object], size: tuple[int, int], fps: int) -> Codec:
    """The encoder for more of what a camera's videos already are.

    Raises:
        StorageError: nothing on this machine encodes that.
    """
    info = entry.get("info")
    info = info if isinstance(info, dict) else {}
    crf, gop = info.get("video.crf"), info.get("video.g")
    return choose(str(info.get("video.codec") or "auto"), (size,), fps, crf, gop or 2)


def encode(take: Take, key: str, path: Path, info: Info) -> None:
    """An episode's pictures as a video of its own.

    Raises:
        StorageError: there are fewer pictures than rows, or nothing on this machine encodes them.
    """
    entry = info.features[key]
    height, width, _ = image_shape(entry)
    codec = codec_of(entry, (height, width), info.fps)
    count = write_video(path, take.source.pictures(take.episode, key), codec, (height, width), info.fps)
    if count != take.length:
        raise _too_short(take, path.name, count)


def write_video(path: Path, frames: Iterable[NDArray[np.uint8]], codec: Codec, size: tuple[int, int], fps: int) -> int:
    """Encode `frames` (H, W, 3) into a new file; returns how many."""
    encoder, count = CameraEncoder(codec, *size, fps), 0
    with av.open(str(path), "w", format="mp4", options={"movflags": "faststart"}) as container:
        stream = container.add_stream_from_template(encoder.template)
        packets = (packet for frame in frames for packet in encoder.encode(np.ascontiguousarray(frame)))
        for packet in itertools.chain(packets, _late(encoder)):
            packet.dts, packet.duration, packet.stream = packet.pts, 1, stream
            container.mux(packet)
            count += 1
    return count


def _late(encoder: CameraEncoder) -> Iterator[VideoPacket]:
    # A generator, so that the encoder is flushed after the last frame, not before the first.
    yield from encoder.flush()
