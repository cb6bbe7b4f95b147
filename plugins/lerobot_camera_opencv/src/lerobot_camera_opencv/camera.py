"""The camera contract over OpenCV: a thread captures, everybody else looks at the newest frame."""

from __future__ import annotations

import dataclasses
import logging
import threading
from typing import TYPE_CHECKING, Any

import numpy as np
from lerobot_core.clock import Clock
from lerobot_core.errors import CameraError
from lerobot_core.types import Feature, Frame

from .config import OpenCVCameraConfig
from .device import Device, wrong_size
from .identity import lasting

if TYPE_CHECKING:
    from numpy.typing import NDArray

RANK = 0
"""On a virtual clock a frame is there before the loop looks."""
FIRST_S = 5.0
"""USB cameras have been seen to take two seconds for their first picture."""
FROZEN_S = 1.0
"""Without a new picture for this long the device is opened again."""
AGAIN_S = 0.5
"""Between two tries to open it again."""
GONE_S = 5.0
"""After this long without success the camera counts as gone; it is still looked for."""
CLOSE_S = 2.0
"""A device that hangs in its driver is not waited for any longer."""


class OpenCVCamera:
    """A USB camera or a video file.

    Args:
        config: which, and how.
        clock: the run's; capture times are its.
        log: for what is odd but no error.
        cv2: the module.
    """

    def __init__(self, config: OpenCVCameraConfig, clock: Clock, log: logging.Logger, cv2: Any) -> None:
        self._config, self._clock, self._log, self._cv2 = config, clock, log, cv2
        self._where = config.index_or_path
        self._stop, self._ended, self._first = threading.Event(), threading.Event(), threading.Event()
        self._latest: Frame | None = None
        self._picture: NDArray[np.uint8] | None = None
        self._error: CameraError | None = None
        self._failing_since: float | None = None
        self._last_new = 0.0
        self._connected = False

    @property
    def feature(self) -> Feature:
        """uint8 (H, W, 3), after rotation."""
        return Feature("uint8", (self._config.height, self._config.width, 3))

    @property
    def fps(self) -> float:
        """As asked."""
        return self._config.fps

    @property
    def is_connected(self) -> bool:
        """Between `connect` and `disconnect`."""
        return self._connected

    def identity(self) -> str:
        """By-id path where the system gives one, else what was configured."""
        return str(lasting(self._config.index_or_path))

    def connect(self) -> None:
        """Open, check the size, start capturing, let the exposure settle.

        Raises:
            CameraError: it is not there, gives another size, or gives nothing.
        """
        # Numbers are handed out anew whenever something is plugged in: after a loss it is looked for by its own name.
        self._where = lasting(self._config.index_or_path)
        device = self._open()
        self._stop, self._ended, self._first = threading.Event(), threading.Event(), threading.Event()
        self._latest = self._picture = self._error = self._failing_since = None
        self._connected = True
        self._clock.spawn(f"camera {self._config.index_or_path}", lambda: self._run(device), RANK)
        if not self._clock.wait(self._first, self._clock.now() + FIRST_S) or self._error is not None:
            error = self._error
            self.disconnect()
            raise error or CameraError(
                f"camera {self._where} gives no picture",
                f"none in {FIRST_S:g} s",
                "plug it in again; try another fourcc",
            )
        self._clock.sleep_until(self._clock.now() + self._config.warmup_s)

    def read_latest(self, max_age: float) -> Frame:
        """The newest frame, `stale` when it is older than `max_age` seconds; never waits."""
        if not self._connected:
            raise CameraError(f"camera {self._config.index_or_path} is not connected", "", "call connect() first")
        if self._error is not None:
            raise self._error
        frame = self._latest
        assert frame is not None  # connect waits for the first
        stale = self._clock.now() - frame.captured > max_age
        return dataclasses.replace(frame, stale=True) if stale else frame

    def disconnect(self) -> None:
        """Stop capturing and close. Idempotent."""
        if self._connected:
            self._connected = False
            self._stop.set()
            if not self._clock.wait(self._ended, self._clock.now() + CLOSE_S):
                self._log.warning("camera %s does not let go; it is left to itself", self._where)

    # --- the capturing thread -----------------------------------------------------------------------------------------

    def _run(self, device: Device) -> None:
        try:
            self._capture(device)
        except Exception as error:  # nobody sees what a thread raises; the next reading does
            self._log.error("camera %s", self._where, exc_info=error)
            self._error = CameraError(f"camera {self._where} failed", f"{type(error).__name__}: {error}")
            self._first.set()
        finally:
            self._ended.set()

    def _capture(self, device: Device) -> None:
        current: Device | None = device
        self._last_new = began = self._clock.now()
        shot = 0
        while not self._stop.is_set():
            if current is None:
                current = self._again()
                continue
            if current.is_file:
                shot += 1
                if self._clock.wait(self._stop, began + shot / self._config.fps):
                    break
            if not self._take(current):
                current.release()
                current = None
        if current is not None:
            current.release()

    def _take(self, device: Device) -> bool:
        """One picture; False when the device must be opened again."""
        if not device.grab():
            self._fail()
            return False
        now = self._clock.now()
        picture = device.picture()
        if picture is None:
            return self._clock.now() - self._last_new < FROZEN_S
        if device.is_file or self._is_new(picture):
            self._publish(device.rgb(picture), now)
        elif now - self._last_new >= FROZEN_S:
            self._log.warning("camera %s shows the same picture for %g s; it is opened again", self._where, FROZEN_S)
            return False
        return True

    def _is_new(self, picture: NDArray[np.uint8]) -> bool:
        """A sensor's noise never repeats: a picture equal to the last bit is the last one over again."""
        last, self._picture = self._picture, picture
        if last is None or self._config.still_ok or last.shape != picture.shape:
            return True
        # One row in sixteen tells nearly all of them apart, for a sixteenth of the work.
        return not (np.array_equal(last[::16], picture[::16]) and np.array_equal(last, picture))

    def _publish(self, image: NDArray[np.uint8], now: float) -> None:
        if image.shape != self.feature.shape:
            given, asked = image.shape[1::-1], (self._config.width, self._config.height)
            self._error = wrong_size(self._where, given, asked)
        else:
            image.flags.writeable = False
            self._latest = Frame(image, now, 0 if self._latest is None else self._latest.seq + 1)
            self._error = self._failing_since = None
            self._last_new = now
        self._first.set()

    def _again(self) -> Device | None:
        """Wait a little, then try to open it; None when it is still not there."""
        if self._clock.wait(self._stop, self._clock.now() + AGAIN_S):
            return None
        try:
            device = self._open()
        except CameraError as error:
            self._fail(error)
            return None
        self._log.warning("camera %s is back", self._where)
        self._last_new = self._clock.now()
        return device

    def _fail(self, error: CameraError | None = None) -> None:
        now = self._clock.now()
        if self._failing_since is None:
            self._failing_since = now
            self._log.warning("camera %s stopped; it is looked for", self._where)
        if now - self._failing_since >= GONE_S:
            self._error = error or CameraError(
                f"camera {self._where} gives no pictures any more", "", "plug it in again"
            )

    def _open(self) -> Device:
        return Device(self._cv2, self._where, self._config, self._log)
