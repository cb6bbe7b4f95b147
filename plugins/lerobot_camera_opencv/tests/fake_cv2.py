"""As much of OpenCV as the camera uses, with devices that misbehave on demand."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
from lerobot_core.clock import Clock


class Source:
    """A camera at the end of a cable.

    Attributes:
        plugged, frozen, undecodable: what is wrong with it.
        opened: how often it was opened.
        asked: property -> value, in the order in which it was asked.
    """

    def __init__(self, clock: Clock, width: int = 64, height: int = 48, fps: float = 100.0) -> None:
        self.clock, self.width, self.height, self.fps = clock, width, height, fps
        self.plugged, self.frozen, self.undecodable, self.breaks = True, False, False, False
        self.opened = self.count = self.released = 0
        self.asked: list[tuple[int, float]] = []

    def picture(self) -> Any:
        """The first pixel tells the picture's number."""
        image = np.full((self.height, self.width, 3), (10, 20, 30), np.uint8)
        image[0, 0] = (self.count % 251, 0, 0)
        return image


class VideoCapture:
    def __init__(self, source: Source) -> None:
        self._source = source
        self._open = source.plugged
        source.opened += self._open

    def isOpened(self) -> bool:
        return self._open

    def set(self, key: int, value: float) -> bool:
        self._source.asked.append((key, value))
        return True

    def get(self, key: int) -> float:
        source = self._source
        return {cv2.CAP_PROP_FRAME_WIDTH: source.width, cv2.CAP_PROP_FRAME_HEIGHT: source.height}.get(key, source.fps)

    def grab(self) -> bool:
        source = self._source
        source.clock.sleep_until(source.clock.now() + 1 / source.fps)
        if source.breaks:
            raise RuntimeError("the driver has a bad day")
        source.count += not source.frozen
        return source.plugged

    def retrieve(self) -> tuple[bool, Any]:
        return not self._source.undecodable, None if self._source.undecodable else self._source.picture()

    def release(self) -> None:
        self._source.released += 1
        self._open = False


def module(source: Source) -> Any:
    """What `import cv2` would give."""
    names = [name for name in dir(cv2) if name.startswith(("CAP_", "ROTATE_", "COLOR_"))]
    constants = {name: getattr(cv2, name) for name in names}
    return SimpleNamespace(
        **constants,
        VideoCapture=lambda where, backend: VideoCapture(source),
        VideoWriter_fourcc=cv2.VideoWriter_fourcc,
        cvtColor=cv2.cvtColor,
        rotate=cv2.rotate,
        __version__="0",
    )
