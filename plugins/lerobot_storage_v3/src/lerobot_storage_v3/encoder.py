"""One camera's pictures into packets."""

from __future__ import annotations

import io
from fractions import Fraction
from typing import TypeAlias, cast

import av
import numpy as np
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter
from av.video.stream import VideoStream
from numpy.typing import NDArray

from .codecs import Codec, quiet
from .faults import NONE, Faults

VideoPacket: TypeAlias = "Packet[VideoStream]"


class CameraEncoder:
    """Encodes in memory; `template` describes the stream to whatever file its packets end up in.

    Packets carry the frame's number, counted from 0, as `pts` in units of 1/fps.
    """

    def __init__(self, codec: Codec, height: int, width: int, fps: int, faults: Faults = NONE) -> None:
        quiet()
        self.fps, self._faults, self._count = fps, faults, 0
        self._base = Fraction(1, fps)
        # A copied stream needs the codec's header, which exists once some container has started: this one is memory.
        self._container = av.open(io.BytesIO(), "w", format="mp4")
        stream = self._container.add_stream(codec.encoder, rate=fps, options=dict(codec.options))
        self.template = cast(VideoStream, stream)
        self.template.width, self.template.height, self.template.pix_fmt = width, height, codec.pix_fmt
        context = self.template.codec_context
        context.gop_size, context.thread_count, context.max_b_frames = codec.gop, 1, 0
        self._container.start_encoding()
        self._reformatter, self._format = VideoReformatter(), codec.pix_fmt
        self._last: VideoFrame | None = None

    def encode(self, image: NDArray[np.uint8]) -> list[VideoPacket]:
        """One uint8 (H, W, 3) RGB picture, C-contiguous; it may be freed when this returns."""
        frame = VideoFrame.from_numpy_buffer(image, format="rgb24")
        self._last = self._reformatter.reformat(frame, format=self._format)
        return self._encode(self._last)

    def repeat(self) -> list[VideoPacket]:
        """The last picture once more, as a frame of its own."""
        if self._last is None:
            raise ValueError("there is no picture to repeat")
        return self._encode(self._last)

    def _encode(self, frame: VideoFrame) -> list[VideoPacket]:
        self._faults.reach("encode")
        frame.pts, frame.time_base = self._count, self._base
        self._count += 1
        return self.template.encode(frame)

    def flush(self) -> list[VideoPacket]:
        """What the encoder still held back."""
        return self.template.encode(None)
