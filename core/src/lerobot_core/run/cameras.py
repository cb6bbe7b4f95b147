"""The run's cameras: read once a policy period, merged into the observation under their names, and counted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..contracts.camera import Camera
from ..errors import CameraError
from ..types import Features, Observation

STALE_LIMIT_S = 1.0
"""A camera that gave nothing new for this long ends the run, unless it is optional."""


@dataclass
class Counter:
    """What the summary says of one camera."""

    frames: int = 0
    stale: int = 0
    repeated: int = 0
    last_seq: int = -1
    first: float = 0.0
    last: float = 0.0

    def note(self, seq: int, captured: float, stale: bool) -> bool:
        """Count one reading; True when it is a frame not seen before."""
        self.stale += stale
        if seq == self.last_seq:
            self.repeated += 1
            return False
        if not self.frames:
            self.first = captured
        self.frames, self.last_seq, self.last = self.frames + 1, seq, captured
        return True

    def report(self) -> dict[str, Any]:
        """The summary's row."""
        span = self.last - self.first
        fps = round((self.frames - 1) / span, 2) if span > 0 else None
        return {"frames": self.frames, "stale": self.stale, "repeated": self.repeated, "fps": fps}


class Cameras:
    """All cameras of a run.

    Args:
        cameras: by name.
        optional: names whose loss does not end the run.
        period: seconds a policy period takes; a frame older than two periods is stale.
    """

    def __init__(self, cameras: Mapping[str, Camera], optional: frozenset[str], period: float) -> None:
        self._cameras = dict(cameras)
        self._optional = optional
        self._max_age = 2 * period
        self._counters = {name: Counter() for name in cameras}
        self._last_image: dict[str, Any] = {}

    @property
    def features(self) -> Features:
        """One image feature a camera."""
        return {name: camera.feature for name, camera in self._cameras.items()}

    def read_into(self, obs: Observation) -> None:
        """Add every camera's newest frame to `obs`, with capture time and flags; never blocks.

        Raises:
            CameraError: a camera that is not optional gave nothing new for a second.
        """
        for name, camera in self._cameras.items():
            try:
                self._read(name, camera, obs)
            except CameraError:
                if name not in self._optional or name not in self._last_image:
                    raise
                self._counters[name].stale += 1
                obs[name] = self._last_image[name]
                obs.flags.add(f"stale:{name}")

    def _read(self, name: str, camera: Camera, obs: Observation) -> None:
        frame = camera.read_latest(self._max_age)
        obs[name] = self._last_image[name] = frame.image
        obs.captured[name] = frame.captured
        if not self._counters[name].note(frame.seq, frame.captured, frame.stale):
            obs.flags.add(f"repeated:{name}")
        if not frame.stale:
            return
        obs.flags.add(f"stale:{name}")
        age = obs.time - frame.captured
        if age > STALE_LIMIT_S and name not in self._optional:
            raise CameraError(
                f"camera '{name}' gave no new frame for {age:.1f} s",
                "it is frozen or its cable is loose",
                f"check the cable, or let the run go on without it: --camera.{name}.optional",
            )

    def report(self) -> dict[str, dict[str, Any]]:
        """The summary's `cameras` block."""
        return {name: counter.report() for name, counter in self._counters.items()}
