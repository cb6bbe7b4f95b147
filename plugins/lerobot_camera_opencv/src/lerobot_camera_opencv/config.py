"""Options of the camera, named as LeRobot names them where it has them."""

from __future__ import annotations

from dataclasses import dataclass

from lerobot_core.config.bases import CameraConfig
from lerobot_core.config.fields import option
from lerobot_core.errors import ConfigError

ROTATIONS = (0, 90, 180, 270, -90)


@dataclass(frozen=True, kw_only=True)
class OpenCVCameraConfig(CameraConfig):
    """A USB camera or a video file."""

    index_or_path: int | str = option(0, help="/dev/v4l/by-id/…, a number, or a video file")
    width: int = option(640, help="image width, after rotation", unit="px", low=1)
    height: int = option(480, help="image height, after rotation", unit="px", low=1)
    fps: float = option(30.0, help="frames a second asked of the device", unit="Hz", low=0.1)
    rotation: int = option(0, help="degrees clockwise: 0, 90, 180, 270 or -90")
    fourcc: str | None = option(None, help="pixel format asked of the device (MJPG, YUYV)")
    warmup_s: float = option(1.0, help="time for the exposure to settle, at connect", unit="s", low=0.0)
    still_ok: bool = option(False, help="a picture that never changes is not a fault")
    color_mode: str = option("rgb", help="pictures are always RGB", choices=("rgb",))

    def __post_init__(self) -> None:
        """What the types cannot say."""
        if self.rotation not in ROTATIONS:
            raise ConfigError(
                f"rotation {self.rotation} is not possible", "", f"one of {', '.join(map(str, ROTATIONS))}"
            )
        if self.fourcc is not None and len(self.fourcc) != 4:
            raise ConfigError(f"fourcc {self.fourcc!r} is not four characters", "", "MJPG, YUYV, …")
