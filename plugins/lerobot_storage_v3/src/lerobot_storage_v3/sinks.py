"""Where a camera's packets go: a video that a crash leaves readable, or pictures one after the other."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

import av

from .durability import DurableFile
from .encoder import CameraEncoder, VideoPacket
from .faults import NONE, Faults

# A closed hybrid file is an ordinary mp4; until then every key frame begins a fragment of its own, and each packet is
# flushed, so that kill -9 costs one frame at most.
_CRASH_PROOF = {"movflags": "hybrid_fragmented+frag_keyframe", "flush_packets": "1"}
_LENGTH = struct.Struct("<I")


class VideoSink:
    """An mp4 that receives one encoder's packets.

    Args:
        first: the `pts` that becomes time 0.
    """

    def __init__(self, path: Path, encoder: CameraEncoder, first: int = 0, faults: Faults = NONE) -> None:
        self.file = DurableFile(path, faults)
        self.frames, self._first = 0, first
        self._container = av.open(self.file, "w", format="mp4", options=_CRASH_PROOF)
        self._stream = self._container.add_stream_from_template(encoder.template)

    def add(self, packet: VideoPacket) -> None:
        """Write one packet; it cannot be used again."""
        packet.pts = (packet.pts or 0) - self._first
        packet.dts = packet.pts
        packet.duration = 1
        packet.stream = self._stream
        self._container.mux(packet)
        self.frames += 1

    def close(self) -> DurableFile:
        """End the video; the file stays open for whoever flushes it to the disk."""
        self._container.close()
        return self.file

    def abandon(self) -> None:
        """Close without ending it."""
        self.file.close()


class PictureSink:
    """PNG files end to end, each behind its length: what becomes an image column when the episode is saved."""

    def __init__(self, path: Path, faults: Faults = NONE) -> None:
        self.file, self.frames = DurableFile(path, faults), 0

    def add(self, packet: VideoPacket) -> None:
        """Write one picture."""
        data = bytes(packet)
        self.file.write(_LENGTH.pack(len(data)) + data)
        self.frames += 1

    def close(self) -> DurableFile:
        """Nothing is held back."""
        return self.file

    def abandon(self) -> None:
        """Close it."""
        self.file.close()


Sink = VideoSink | PictureSink


def read_pictures(path: Path) -> Iterator[bytes]:
    """The whole pictures a `PictureSink` wrote; a missing file has none."""
    data = path.read_bytes() if path.exists() else b""
    at = 0
    while at + _LENGTH.size <= len(data):
        end = at + _LENGTH.size + _LENGTH.unpack_from(data, at)[0]
        if end > len(data):
            return
        yield data[at + _LENGTH.size : end]
        at = end
