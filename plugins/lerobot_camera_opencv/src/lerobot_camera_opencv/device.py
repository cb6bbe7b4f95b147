"""One open video device: asked for a size, checked, and read a picture at a time."""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lerobot_core.devices.ports import holder
from lerobot_core.errors import CameraError

from .config import OpenCVCameraConfig
from .identity import is_file, video_devices

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_FPS_TOLERANCE = 0.1
"""A device that says a rate this far (as a share) from the one asked for is worth a line."""


class Device:
    """A `cv2.VideoCapture` that gives RGB pictures of the configured size.

    Args:
        cv2: the module.
        where: what to open.
        config: size, rate and rotation.
        log: for what is odd but no error.

    Raises:
        CameraError: it is not there, not ours, or of another size.
    """

    def __init__(self, cv2: Any, where: int | str, config: OpenCVCameraConfig, log: logging.Logger) -> None:
        self._cv2, self._where, self._config, self._log = cv2, where, config, log
        self.is_file = is_file(where)
        self._capture = self._open()
        try:
            self._ask()
            self._check()
        except BaseException:
            self.release()
            raise

    def grab(self) -> bool:
        """Wait for the next picture; False when none came. A file begins again after its end."""
        if self._capture.grab():
            return True
        if not self.is_file:
            return False
        self._capture.set(self._cv2.CAP_PROP_POS_FRAMES, 0)
        return bool(self._capture.grab())

    def picture(self) -> NDArray[np.uint8] | None:
        """The grabbed picture as the device gave it, None when it cannot be decoded."""
        good, image = self._capture.retrieve()
        return image if good else None

    def rgb(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """(H, W, 3) RGB, turned as configured, in a buffer of its own."""
        cv2 = self._cv2
        found: NDArray[np.uint8] = cv2.cvtColor(image, cv2.COLOR_GRAY2RGB if image.ndim == 2 else cv2.COLOR_BGR2RGB)
        turn = {
            90: cv2.ROTATE_90_CLOCKWISE,
            180: cv2.ROTATE_180,
            270: cv2.ROTATE_90_COUNTERCLOCKWISE,
            -90: cv2.ROTATE_90_COUNTERCLOCKWISE,
        }
        return found if not self._config.rotation else cv2.rotate(found, turn[self._config.rotation])

    def release(self) -> None:
        """Close. Idempotent."""
        self._capture.release()

    # --- opening ----------------------------------------------------------------------------------------------------

    def _open(self) -> Any:
        cv2 = self._cv2
        # V4L2 by name: what OpenCV picks by itself may be a slower layer above it.
        native = sys.platform == "linux" and not self.is_file and "://" not in str(self._where)
        capture = cv2.VideoCapture(self._where, cv2.CAP_V4L2 if native else cv2.CAP_ANY)
        if not capture.isOpened():
            capture.release()
            raise self._cannot_open()
        return capture

    def _ask(self) -> None:
        """Format first: which sizes and rates there are depends on it."""
        cv2, config = self._cv2, self._config
        if self.is_file:
            return
        if config.fourcc:
            self._capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter_fourcc(*config.fourcc))
        width, height = self._size()
        self._capture.set(cv2.CAP_PROP_FRAME_WIDTH, width)
        self._capture.set(cv2.CAP_PROP_FRAME_HEIGHT, height)
        self._capture.set(cv2.CAP_PROP_FPS, config.fps)

    def _check(self) -> None:
        cv2, config = self._cv2, self._config
        given = tuple(int(self._capture.get(p)) for p in (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT))
        if given != self._size():
            raise wrong_size(self._where, given, self._size(), turned=self._turned)
        rate = self._capture.get(cv2.CAP_PROP_FPS)
        if not self.is_file and rate > 0 and abs(rate - config.fps) > _FPS_TOLERANCE * config.fps:
            self._log.warning("camera %s runs at %g Hz, not %g", self._where, rate, config.fps)

    @property
    def _turned(self) -> bool:
        return self._config.rotation in (90, 270, -90)

    def _size(self) -> tuple[int, int]:
        """Width and height before rotation."""
        width, height = self._config.width, self._config.height
        return (height, width) if self._turned else (width, height)

    def _cannot_open(self) -> CameraError:
        where = f"/dev/video{self._where}" if isinstance(self._where, int) else self._where
        here = ", ".join(device.identity for device in video_devices()) or "none"
        if "://" in where or not Path(where).exists():
            return CameraError(f"there is no camera {self._where}", f"cameras here: {here}", "lr find cameras")
        if not os.access(where, os.R_OK | os.W_OK):
            fix = "sudo usermod -aG video $USER, then log out and in again"
            return CameraError(f"no permission to open {where}", "it belongs to another group", fix)
        if user := holder(where):
            return CameraError(f"camera {where} is in use", f"by {user}", "close that one first")
        return CameraError(f"camera {where} cannot be opened", f"cameras here: {here}", "plug it in again")


def wrong_size(where: int | str, given: tuple[int, ...], asked: tuple[int, ...], turned: bool = False) -> CameraError:
    """Both sizes are width and height before rotation."""
    width, height = reversed(given) if turned else given
    return CameraError(
        f"camera {where} gives {given[0]}x{given[1]}, not {asked[0]}x{asked[1]}",
        "before rotation" if turned else "",
        f"--camera.NAME.width {width} --camera.NAME.height {height}, or another --camera.NAME.fourcc",
    )
