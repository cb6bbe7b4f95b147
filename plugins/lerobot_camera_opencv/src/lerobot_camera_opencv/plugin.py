"""What this distribution offers; OpenCV is imported when a camera is built."""

from __future__ import annotations

from typing import Any

from lerobot_core.hookspecs import hookimpl
from lerobot_core.specs import CameraSpec, Parts
from lerobot_core.types import Problem

from .config import OpenCVCameraConfig


@hookimpl
def lerobot_cameras() -> CameraSpec:
    """`opencv`."""

    def build(config: OpenCVCameraConfig, parts: Parts) -> Any:
        from .camera import OpenCVCamera
        from .distribution import installed, load

        cv2 = load()
        parts.log.debug("OpenCV %s from %s", cv2.__version__, ", ".join(installed()) or "elsewhere")
        return OpenCVCamera(config, parts.clock, parts.log, cv2)

    return CameraSpec(
        name="opencv",
        summary="a USB camera or a video file, over OpenCV",
        config=OpenCVCameraConfig,
        build=build,
        requires=("a camera", "opencv-python-headless or opencv-python"),
    )


@hookimpl
def find() -> list[dict[str, str]]:
    """Cameras that the system lists; none is opened."""
    from .identity import video_devices

    return [
        {"kind": "camera", "id": device.identity, "name": device.name, "detail": device.path}
        for device in video_devices()
    ]


@hookimpl
def doctor() -> list[Problem]:
    """Is there one OpenCV."""
    from .distribution import problems

    return problems()
