"""The highlight ring: how much of what is held in memory may go."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from .encoder import VideoPacket


@dataclass(frozen=True)
class Window:
    """Keep the last `rows` rows (up to one group of pictures more), and never more than `max_bytes` of packets."""

    rows: int
    max_bytes: int


class Held(Protocol):
    """What the ring looks at in a camera's track."""

    held: deque[VideoPacket]
    weight: int


def cut(tracks: Sequence[Held], first: int, length: int, window: Window) -> int:
    """The frame that becomes the oldest: every camera has a key frame there, so each video can begin with it.

    Args:
        tracks: the cameras' held packets; `pts` is the frame's number.
        first: the oldest frame now.
        length: rows held.
    """
    weight = sum(track.weight for track in tracks)
    end = first + length
    while end - first > window.rows or weight > window.max_bytes:
        key = _next_key(tracks, first, end)
        if key is None or (end - key < window.rows and weight <= window.max_bytes):
            break
        weight -= sum(_between(track, first, key) for track in tracks)
        first = key
    return first


def _next_key(tracks: Sequence[Held], first: int, end: int) -> int | None:
    """The next frame at which all cameras have a key frame; without cameras, the next frame."""
    if not tracks:
        return first + 1 if first + 1 < end else None
    # Encoders that were started together put key frames at the same places, so the first answer is nearly always right.
    for packet in tracks[0].held:
        frame = packet.pts or 0
        if frame > first and packet.is_keyframe and all(_has_key(track, frame) for track in tracks[1:]):
            return frame
    return None


def _has_key(track: Held, frame: int) -> bool:
    for packet in track.held:
        if (packet.pts or 0) >= frame:
            return packet.pts == frame and packet.is_keyframe
    return False


def _between(track: Held, first: int, key: int) -> int:
    weight = 0
    for packet in track.held:
        if (packet.pts or 0) >= key:
            break
        weight += packet.size if (packet.pts or 0) >= first else 0
    return weight
