"""The camera as the run sees it: frames out of shared memory."""

from __future__ import annotations

import dataclasses
import os
from typing import TYPE_CHECKING

from lerobot_core.clock import Clock
from lerobot_core.errors import CameraError
from lerobot_core.types import Feature, Frame

from ..client import SimWorld
from ..config import FPS, HEIGHT, WIDTH, SimCameraConfig
from .shared import FrameRing, allocate

if TYPE_CHECKING:
    from lerobot_core.contracts.world import World

FIRST_FRAME_S = 10.0
"""How long the drawing process may take to start; 0.5 s is usual."""


class SimCamera:
    """One view of a virtual world.

    Args:
        config: view, size and rate.
        clock: the run's.
        world: where it stands.
    """

    def __init__(self, config: SimCameraConfig, clock: Clock, world: World | None) -> None:
        self._config, self._clock, self._world = config, clock, world
        self._size = config.height or HEIGHT, config.width or WIDTH
        self._ring: FrameRing | None = None
        self._number = 0
        self._latest: Frame | None = None

    @property
    def feature(self) -> Feature:
        """uint8 (H, W, 3)."""
        return Feature("uint8", (*self._size, 3))

    @property
    def fps(self) -> float:
        """Pictures a second of the run's clock."""
        return self._config.fps or FPS

    @property
    def is_connected(self) -> bool:
        """True between `connect` and `disconnect`."""
        return self._ring is not None

    def identity(self) -> str:
        """`sim/front`, with the world's name."""
        world = self._world.ref if isinstance(self._world, SimWorld) else self._config.index_or_path or "sim"
        return f"{world}/{self._config.view}"

    def connect(self) -> None:
        """Have the world draw, and wait for the first picture.

        Raises:
            CameraError: there is no world to stand in, or no picture comes.
        """
        world = self._in_a_world()
        fd = allocate(*self._size)
        self._ring = FrameRing(fd, *self._size)
        try:
            self._number = world.open_camera(self._config.view, self._size[1], self._size[0], self.fps, fd)
        finally:
            os.close(fd)
        if not self._first_picture(self._ring):
            self.disconnect()
            raise CameraError(
                f"camera {self.identity()} gave no picture in {FIRST_FRAME_S:g} s", "the drawing process is not running"
            )

    def read_latest(self, max_age: float) -> Frame:
        """The newest picture; each has a buffer of its own.

        Raises:
            CameraError: not connected, or the camera was taken away.
        """
        ring, latest = self._ring, self._latest
        if ring is None:
            raise CameraError(f"camera {self.identity()} is not connected")
        if ring.gone:
            raise CameraError(f"camera {self.identity()} is gone", "it was unplugged", "plug it in again")
        if latest is None or ring.newest() != latest.seq:
            shot = ring.read()
            if shot is None:
                raise CameraError(f"camera {self.identity()} has not given a picture yet")
            shot.image.setflags(write=False)
            latest = self._latest = Frame(shot.image, shot.captured, shot.seq)
        stale = self._clock.now() - latest.captured > max_age
        return dataclasses.replace(latest, stale=True) if stale else latest

    def disconnect(self) -> None:
        """Have the world draw no more. Idempotent."""
        if self._ring is not None:
            self._ring = self._latest = None
            self._in_a_world().close_camera(self._number)

    def _in_a_world(self) -> SimWorld:
        if isinstance(self._world, SimWorld):
            return self._world
        raise CameraError(
            f"camera {self.identity()} stands in no world",
            "its robot is not simulated and it does not say which world it is in",
            "give it one: --camera.NAME.index_or_path sim",
        )

    def _first_picture(self, ring: FrameRing) -> bool:
        until = self._clock.now() + FIRST_FRAME_S
        while not ring.newest() and self._clock.now() < until:
            self._clock.sleep_until(self._clock.now() + 0.005)
        return ring.newest() > 0
