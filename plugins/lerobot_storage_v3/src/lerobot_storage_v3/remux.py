"""Videos copied packet by packet: concatenated or cut, never encoded again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.container import InputContainer
from av.video.stream import VideoStream
from numpy.typing import NDArray

from .encoder import VideoPacket

# The index at the front of the file: a reader opens a long one 40 times faster than a fragmented one.
_FAST_START = {"movflags": "faststart"}


def copy(sources: Sequence[Path], target: Path, fps: int, most: int | None = None) -> int:
    """One video of all frames of `sources`, in order, evenly spaced; at most `most` of them. Returns how many.

    The sources must agree in `signature`.

    Raises:
        ValueError: a source shows its frames in another order than it stores them.
    """
    with av.open(str(target), "w", format="mp4", options=_FAST_START) as made:
        stream: VideoStream | None = None
        count = 0
        for source in sources:
            with av.open(str(source)) as container:
                # Opaque: AV1 is read by a decoder that has no encoder of its name.
                stream = stream or made.add_stream_from_template(container.streams.video[0], opaque=True)
                for packet in _whole_packets(container):
                    if count == most:
                        break
                    _mux(made, stream, packet, count, fps)
                    count += 1
    return count


def _mux(made: av.container.OutputContainer, stream: VideoStream, packet: VideoPacket, frame: int, fps: int) -> None:
    # Without reordered frames, a frame's place in the file is its time.
    packet.time_base = Fraction(1, fps)
    packet.pts = packet.dts = frame
    packet.duration = 1
    packet.stream = stream
    made.mux(packet)


def _whole_packets(container: InputContainer) -> Iterator[VideoPacket]:
    """Every packet up to where the file was cut off."""
    last = -1
    try:
        for packet in container.demux(container.streams.video[0]):
            if not packet.size or packet.is_corrupt or packet.pts is None:
                continue
            if packet.pts <= last:
                raise ValueError(f"{container.name} has reordered frames")
            last = packet.pts
            yield packet
    except av.error.FFmpegError:
        return


def signature(path: Path) -> tuple[object, ...]:
    """What two videos must share to be one: codec, its header, size, pixels, spacing and order of frames."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        context = stream.codec_context
        return (
            context.name,
            bytes(context.extradata or b""),
            context.width,
            context.height,
            context.pix_fmt,
            stream.average_rate,
            context.has_b_frames,
        )


def decoded(path: Path) -> Iterator[NDArray[np.uint8]]:
    """Every frame that can be decoded, uint8 (H, W, 3), up to the first that cannot; nothing from an unreadable file."""
    try:
        with av.open(str(path)) as container:
            for frame in container.decode(container.streams.video[0]):
                yield np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)
    except (av.error.FFmpegError, IndexError):
        return
