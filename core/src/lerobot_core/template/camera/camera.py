"""The acme camera. It sees a grey wall getting brighter: replace the lines marked HERE by your device."""

from __future__ import annotations

import dataclasses
import threading

import numpy as np
from lerobot_core.clock import Clock
from lerobot_core.errors import CameraError
from lerobot_core.types import Feature, Frame

from .config import AcmeCameraConfig


class AcmeCamera:
    """Captures on a thread of its own; `read_latest` only hands over."""

    def __init__(self, config: AcmeCameraConfig, clock: Clock) -> None:
        self._config, self._clock = config, clock
        self._latest: Frame | None = None
        self._stop: threading.Event | None = None

    @property
    def feature(self) -> Feature:
        """Known before `connect`."""
        return Feature("uint8", (self._config.height, self._config.width, 3))

    @property
    def fps(self) -> float:
        """Asked of the device."""
        return self._config.fps

    @property
    def is_connected(self) -> bool:
        """True between `connect` and `disconnect`."""
        return self._stop is not None

    def identity(self) -> str:
        """A serial number or a by-id path, so that a rig file can name this very camera."""
        return self._config.device

    def connect(self) -> None:
        """Open, check the size, start capturing; CameraError when it is not there."""
        self._latest = self._grab(0)
        self._stop = stop = threading.Event()
        self._clock.spawn(f"camera-{self.identity()}", lambda: self._capture(stop), rank=0)

    def read_latest(self, max_age: float) -> Frame:
        """The newest frame, never waiting for one."""
        if self._latest is None:
            raise CameraError(f"camera {self.identity()} is not connected")
        old = self._clock.now() - self._latest.captured > max_age
        return dataclasses.replace(self._latest, stale=True) if old else self._latest

    def disconnect(self) -> None:
        """Stop capturing and close; also when it was never opened."""
        if self._stop is not None:
            self._stop.set()
        self._stop = self._latest = None

    def _capture(self, stop: threading.Event) -> None:
        seq = 0
        while not self._clock.wait(stop, self._clock.now() + 1.0 / self._config.fps):
            seq += 1
            frame = self._grab(seq)
            if not stop.is_set():
                self._latest = frame

    def _grab(self, seq: int) -> Frame:
        image = np.full(self.feature.shape, seq % 256, dtype=np.uint8)  # HERE: a fresh buffer for every frame
        image.flags.writeable = False
        return Frame(image, self._clock.now(), seq)
