"""Which encoder a codec name means on this machine, found out by really opening it."""

from __future__ import annotations

import functools
import os
from collections.abc import Mapping
from dataclasses import dataclass, field

import av
import numpy as np
from lerobot_core.errors import StorageError, did_you_mean

_HARDWARE = {
    "h264": ("h264_videotoolbox", "h264_nvenc", "h264_qsv"),
    "hevc": ("hevc_videotoolbox", "hevc_nvenc", "hevc_qsv"),
    "av1": ("av1_nvenc", "av1_qsv"),
}
_SOFTWARE = {"h264": ("libx264",), "hevc": ("libx265",), "av1": ("libsvtav1", "libaom-av1")}
_CRF = {"h264": 23, "hevc": 28, "av1": 30}
PNG = "png"
_ALIASES = {"h265": "hevc", "x264": "libx264", "x265": "libx265"}


@dataclass(frozen=True)
class Codec:
    """One encoder with its settings; one packet comes out for each frame that goes in, none reordered.

    Attributes:
        encoder: FFmpeg's name, `"libx264"`.
        crf: quality, lower is better.
        gop: frames from one key frame to the next.
        options: further private options of the encoder.
    """

    encoder: str
    crf: int
    gop: int
    options: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_video(self) -> bool:
        """False for pictures that are kept one by one in the rows."""
        return self.encoder != PNG

    @property
    def pix_fmt(self) -> str:
        """What frames are converted to."""
        return "yuv420p" if self.is_video else "rgb24"

    @property
    def preset(self) -> str:
        """The encoder's own word for its speed, "" where it has none."""
        return self.options.get("preset", "")


def family(encoder: str) -> str:
    """`"libx264"` -> `"h264"`: the codec's name in `info.json`; the encoder's own name when it is none of the three."""
    for name in _CRF:
        if encoder in (*_HARDWARE[name], *_SOFTWARE[name]) or encoder.startswith(f"{name}_"):
            return name
    return encoder


def settings(encoder: str, crf: int | None, gop: int) -> Codec:
    """The encoder as it records live: fast, no frame held back, none reordered, key frames at fixed places."""
    quality = _CRF.get(family(encoder), 23) if crf is None else crf
    return Codec(encoder, quality, gop, _options(encoder, quality))


def _options(encoder: str, crf: int) -> dict[str, str]:
    if encoder == "libx264":
        options = {"preset": "ultrafast", "crf": str(crf), "tune": "zerolatency", "bf": "0", "sc_threshold": "0"}
    elif encoder == "libx265":
        private = "log-level=error:pools=none:frame-threads=1:scenecut=0:bframes=0:open-gop=0:info=0"
        options = {"preset": "ultrafast", "crf": str(crf), "tune": "zerolatency", "x265-params": private}
    elif encoder == "libsvtav1":
        options = {"preset": "12", "crf": str(crf), "svtav1-params": "lp=1:pred-struct=1"}
    elif encoder == "libaom-av1":
        options = {"usage": "realtime", "cpu-used": "10", "crf": str(crf), "lag-in-frames": "0"}
    elif encoder == PNG:
        options = {"compression_level": "1"}  # a third larger than the default and five times as fast
    elif encoder.endswith("_nvenc"):
        options = {"preset": "p4", "tune": "ull", "rc": "constqp", "qp": str(crf), "bf": "0", "zerolatency": "1"}
    elif encoder.endswith("_qsv"):
        options = {"preset": "veryfast", "global_quality": str(crf), "bf": "0", "async_depth": "1"}
    elif encoder.endswith("_videotoolbox"):
        # VideoToolbox counts quality upwards, 1..100.
        options = {"realtime": "1", "bf": "0", "constant_bit_rate": "0", "q:v": str(max(1, 100 - 2 * crf))}
    else:
        options = {}
    return options


def choose(codec: str, sizes: tuple[tuple[int, int], ...], fps: int, crf: int | None = None, gop: int = 2) -> Codec:
    """The encoder to record with.

    Args:
        codec: `auto` (hardware H.264 that opens, else libx264), `h264`, `hevc`, `av1` (software, else hardware), an
            encoder's own name, or `png` for pictures in the rows.
        sizes: (height, width) of every camera; the encoder must open for all of them.

    Raises:
        StorageError: no such encoder, or it does not open for these pictures.
    """
    name = _ALIASES.get(codec, codec)
    if name == "auto" and not sizes:
        return settings(_SOFTWARE["h264"][0], crf, gop)  # nothing will be encoded: no hardware is claimed
    for encoder in _candidates(name):
        chosen = settings(encoder, crf, gop)
        if not any(failure(chosen, height, width, fps) for height, width in sizes):
            return chosen
    reasons = [failure(settings(encoder, crf, gop), *size, fps) for encoder in _candidates(name) for size in sizes]
    raise _refusal(codec, name, sizes, next(filter(None, reasons), ""))


def _candidates(name: str) -> tuple[str, ...]:
    if name == "auto":
        return _HARDWARE["h264"] + _SOFTWARE["h264"]
    return _SOFTWARE[name] + _HARDWARE[name] if name in _CRF else (name,)


def _refusal(codec: str, name: str, sizes: tuple[tuple[int, int], ...], reason: str) -> StorageError:
    odd = next((size for size in sizes if size[0] % 2 or size[1] % 2), None)
    if odd is not None and name != PNG:
        height, width = odd
        fix = "set the camera's width and height to even numbers"
        return StorageError(f"a video of {width}x{height} cannot be encoded", "both sides must be even", fix)
    if name not in av.codec.codecs_available and name not in (*_CRF, "auto"):
        known = ["auto", *_CRF, *(encoder for group in _SOFTWARE.values() for encoder in group)]
        hint = did_you_mean(codec, known)
        return StorageError(f"no codec {codec!r}", hint, f"--dataset.codec {'|'.join(known[:4])}")
    return StorageError(f"codec {codec!r} does not open on this machine", reason, "--dataset.codec auto")


@functools.lru_cache(maxsize=64)
def _failure(encoder: str, crf: int, gop: int, height: int, width: int, fps: int) -> str:
    from .encoder import CameraEncoder

    black = np.zeros((height, width, 3), np.uint8)
    try:
        camera = CameraEncoder(settings(encoder, crf, gop), height, width, fps)
        packets = [packet for _ in range(3) for packet in camera.encode(black)] + camera.flush()
    except (av.error.FFmpegError, OSError, ValueError) as error:
        return str(error)
    return "" if len(packets) == 3 else f"{len(packets)} packets came out for 3 frames"


def failure(codec: Codec, height: int, width: int, fps: int) -> str:
    """Why the encoder does not work for this size, "" when it does: three frames are encoded to know."""
    return _failure(codec.encoder, codec.crf, codec.gop, height, width, fps)


def quiet() -> None:
    """Keep libraries that print a banner for every encoder from doing so."""
    os.environ.setdefault("SVT_LOG", "1")


def video_info(codec: Codec, height: int, width: int, fps: int) -> dict[str, object]:
    """The `info` of a video feature in `info.json`, in the peer's keys."""
    return {
        "video.height": height,
        "video.width": width,
        "video.codec": family(codec.encoder),
        "video.pix_fmt": "yuv420p",
        "video.fps": fps,
        "video.channels": 3,
        "has_audio": False,
        "video.g": codec.gop,
        "video.crf": codec.crf,
        "video.preset": codec.preset,
        "video.fast_decode": 0,
        "video.video_backend": "pyav",
        "video.extra_options": {},
        "is_depth_map": False,
    }
