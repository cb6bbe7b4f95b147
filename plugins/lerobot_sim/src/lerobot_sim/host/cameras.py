"""The world's side of its cameras: when a picture is due, and what is wrong with a camera."""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..camera.shared import FrameRing
from ..children import Child
from ..wire import Gone

State = Callable[[], dict[str, Any]]
"""What a picture is drawn from: qpos and seed."""


@dataclass(slots=True)
class _Camera:
    view: str
    period: float
    due: float
    ring: FrameRing
    frozen_until: float = -math.inf


class Cameras:
    """Every open camera of one world; pictures are drawn by another process.

    Args:
        state: gives the state to draw.
        wait: see each picture finished before going on, so that a run on a virtual clock is always the same.
    """

    def __init__(self, state: State, wait: bool) -> None:
        self._state, self._wait = state, wait
        self._studio: Child | None = None
        self._cameras: dict[int, _Camera] = {}
        self._numbers = 0
        self._busy = self._dead = False
        self._cpu_s = 0.0
        self.skipped = 0

    @property
    def cpu_s(self) -> float:
        """CPU seconds of the drawing process, as of its last picture."""
        return self._cpu_s

    def add(self, view: str, width: int, height: int, fps: float, fd: int, now: float) -> int:
        """Open a camera that draws into the memory `fd`; returns its number.

        Raises:
            ValueError: nobody is left to draw.
        """
        if self._dead:
            raise ValueError("its drawing process has died")
        if self._studio is None:
            self._studio, self._busy = Child("lerobot_sim.camera.process"), True
        self._numbers += 1
        message = {"camera": self._numbers, "view": view, "width": width, "height": height}
        self._studio.channel.send(message, [fd])
        # Cameras of one rate fall due together: one state is then drawn from every side.
        due = math.ceil(now * fps) / fps
        self._cameras[self._numbers] = _Camera(view, 1.0 / fps, due, FrameRing(fd, height, width))
        os.close(fd)
        if self._wait and self._busy:
            self._hear(self._studio.channel.receive())
        return self._numbers

    def remove(self, number: int) -> None:
        """Draw it no more."""
        self._cameras.pop(number, None)

    def fileno(self) -> int | None:
        """What to watch for finished pictures; None while there is nobody to draw."""
        return None if self._studio is None or self._wait else self._studio.channel.fileno()

    def drawn(self) -> bool:
        """The drawing process has something to say; False when it has died, and every camera with it."""
        assert self._studio is not None
        try:
            for message in self._studio.channel.pending():
                self._hear(message)
        except Gone:
            self._lose()
        return not self._dead

    def tick(self, now: float) -> None:
        """Ask for the pictures that are due; while others are drawn they wait, and whole periods missed are counted."""
        if self._busy or self._studio is None:
            return
        due = [number for number, camera in self._cameras.items() if self._comes_due(camera, now)]
        if not due:
            return
        self._busy = True
        try:
            self._studio.channel.send({"cameras": due, "t": now, **self._state()})
            if self._wait:
                self._hear(self._studio.channel.receive())
        except Gone:
            self._lose()

    def next_due(self) -> float:
        """When `tick` has work again; never, while it waits for pictures."""
        return math.inf if self._busy else min((camera.due for camera in self._cameras.values()), default=math.inf)

    def fault(self, kind: str, now: float, camera: str | None = None, seconds: float = math.inf) -> None:
        """`frozen` for so many seconds, or `missing`; `camera` None means every one."""
        for one in self._cameras.values():
            if camera in (None, one.view):
                if kind == "frozen":
                    one.frozen_until = now + seconds
                else:
                    one.ring.gone = True

    def heal(self) -> None:
        """Thaw and plug in again."""
        for camera in self._cameras.values():
            camera.frozen_until, camera.ring.gone = -math.inf, False

    def close(self) -> None:
        """End the drawing process."""
        if self._studio is not None:
            self._studio.close()

    def _comes_due(self, camera: _Camera, now: float) -> bool:
        if camera.due > now + 1e-9:
            return False
        missed = int((now - camera.due) / camera.period + 1e-9)
        # What the drawing process missed while it started was never promised.
        self.skipped += missed if camera.ring.newest() else 0
        camera.due += (missed + 1) * camera.period
        return camera.frozen_until <= now

    def _hear(self, message: dict[str, Any]) -> None:
        self._busy, self._cpu_s = False, message["cpu_s"]

    def _lose(self) -> None:
        self._dead = self._busy = True
        self.fault("missing", 0.0)
