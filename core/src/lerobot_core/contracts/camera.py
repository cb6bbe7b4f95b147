"""Camera: a source of RGB frames with capture times. Cameras belong to the run, not to a robot."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from ..types import Feature, Frame


@runtime_checkable
class Camera(Protocol):
    """Core connects it after the robot; the camera captures on a thread of its own from then on."""

    @property
    def feature(self) -> Feature:
        """uint8 (H, W, 3), known before `connect`."""

    @property
    def fps(self) -> float:
        """Frames a second asked of the device."""

    @property
    def is_connected(self) -> bool:
        """True between `connect` and `disconnect`."""

    def identity(self) -> str:
        """Serial number or by-id path where the system gives one, else the index; never empty."""

    def connect(self) -> None:
        """Open, check the size, start capturing.

        Raises:
            CameraError: it is not there or gives another size.
        """

    def read_latest(self, max_age: float) -> Frame:
        """The newest frame, never blocking; `stale` is set when it is older than `max_age` seconds.

        Every call returns a buffer that nobody writes again, read-only.

        Raises:
            CameraError: no frame has ever arrived, or the camera is gone and could not be reopened.
        """

    def disconnect(self) -> None:
        """Stop capturing and close. Idempotent."""
