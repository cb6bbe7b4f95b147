"""When is an episode's video as large as it should get?"""

from __future__ import annotations

from ..types import Features

BITS_PER_PIXEL = {"h264": 0.55, "hevc": 0.35, "av1": 0.1}
"""Per spatial pixel (height x width; channels do not count). h264 and hevc: measured on a noisy 640x480 scene with a key
frame every second frame. av1: the peer's estimate, which keeps its rotation times."""
NO_VIDEO_S = 300.0


def episode_seconds(features: Features, fps: float, target_mb: float, codec: str) -> float:
    """Seconds after which the smallest camera's video reaches `target_mb` MiB; 300 without cameras.

    The smallest camera fills its file last, so every camera's file has reached the target by then.
    """
    pixels = [feature.shape[0] * feature.shape[1] for feature in features.values() if feature.is_image]
    if not pixels:
        return NO_VIDEO_S
    bits = BITS_PER_PIXEL[_family(codec)]
    return target_mb * 1024**2 * 8 / (min(pixels) * bits * fps)


def _family(codec: str) -> str:
    """`libsvtav1` -> av1, `libx265` or `hevc_nvenc` -> hevc, everything else counts as h264."""
    if "av1" in codec:
        return "av1"
    return "hevc" if "265" in codec or "hevc" in codec else "h264"
