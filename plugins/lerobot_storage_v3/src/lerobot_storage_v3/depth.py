"""Depth videos: 12-bit codes on a logarithmic or linear scale, handed out as millimetres."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from .frames import Convert

CODES = 4096
# The format's defaults, metres; a feature's `info` overrides them.
_DEFAULTS = {"depth_min": 0.01, "depth_max": 10.0, "shift": 3.5, "use_log": True}


def is_depth(entry: Mapping[str, Any]) -> bool:
    """True for a depth camera, in today's spelling and the two older ones."""
    for info in (entry.get("info") or {}, entry.get("video_info") or {}):
        if info.get("is_depth_map") or info.get("video.is_depth_map"):
            return True
    return False


def millimetres(entry: Mapping[str, Any]) -> NDArray[np.float32]:
    """The depth every code stands for: float32 (4096,), whole millimetres."""
    info = entry.get("info") or {}
    low, high, shift, log = (info.get(f"video.{name}", default) for name, default in _DEFAULTS.items())
    first, last = (np.log(low + shift), np.log(high + shift)) if log else (low, high)
    scale = np.arange(CODES, dtype=np.float32) * np.float32((last - first) / (CODES - 1)) + np.float32(first)
    metres = np.exp(scale) - np.float32(shift) if log else scale
    return np.asarray(np.rint(np.clip(metres, low, high) * 1000), np.float32)


def converter(entry: Mapping[str, Any]) -> Convert:
    """A converter from decoded frames to float32 (H, W, 1) millimetres."""
    table = millimetres(entry)

    def convert(frame: av.VideoFrame) -> NDArray[np.generic]:
        codes = frame.to_ndarray(format="gray12le")
        return table[np.minimum(codes, CODES - 1)][:, :, None]

    return convert
