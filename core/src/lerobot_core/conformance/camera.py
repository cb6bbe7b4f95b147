"""The camera's laws."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ..types import Frame
from .base import DeviceConformance, refused

PATIENCE_S = 5.0
"""How long a camera may take for a new frame; USB cameras have been seen to need 2 s for the first."""


class CameraConformance(DeviceConformance):
    """Size and identity, fresh read-only frames with times, never a wait."""

    kind = "camera"

    def next_frame(self, camera: Any, after: int) -> Frame:
        """The first frame with another number than `after`."""
        until = self.clock.now() + PATIENCE_S
        while self.clock.now() < until:
            frame: Frame = camera.read_latest(PATIENCE_S)
            if frame.seq != after:
                return frame
            self.clock.sleep_until(self.clock.now() + 0.2 / camera.fps)
        pytest.fail(f"a camera must capture by itself: no new frame in {PATIENCE_S} s")

    def test_its_feature_is_known_before_it_is_connected(self) -> None:
        """Rows and policies are checked against it before anything is opened."""
        camera = self.make()
        feature = camera.feature
        rgb = len(feature.shape) == 3 and feature.shape[2] == 3 and feature.dtype == "uint8"
        assert rgb, f"a camera's feature must be uint8 (H, W, 3), not {feature.dtype} {feature.shape}"
        assert camera.fps > 0.0, "a camera must know its rate before connect()"

    def test_it_has_an_identity(self) -> None:
        """Rig files name devices by it."""
        identity = self.connected().identity()
        assert isinstance(identity, str), "a camera's identity must be a string"
        assert identity.strip(), "a camera's identity must not be empty"

    def test_nothing_is_read_before_connect(self) -> None:
        """There is no frame yet."""
        refused(lambda: self.make().read_latest(1.0), "a camera must refuse read_latest before connect()")

    def test_nothing_is_read_after_disconnect(self) -> None:
        """An old picture is not the present."""
        camera = self.connected()
        camera.disconnect()
        refused(lambda: camera.read_latest(1.0), "a camera must refuse read_latest after disconnect()")

    def test_frames_are_what_the_feature_says(self) -> None:
        """Shape, type and capture time."""
        camera = self.connected()
        frame = self.next_frame(camera, after=-1)
        found, feature = (str(frame.image.dtype), frame.image.shape), camera.feature
        assert found == (feature.dtype, feature.shape), (
            f"a frame must be what the feature says: {found} is not {feature.shape}"
        )
        assert frame.captured <= self.clock.now(), "a frame must have been captured in the past, by the run's clock"
        assert self.clock.now() - frame.captured < 2 * PATIENCE_S, "a frame's time must be the run's clock's"

    def test_frames_are_read_only_and_never_written_again(self) -> None:
        """Rows, observers and encoders share them."""
        camera = self.connected()
        first = self.next_frame(camera, after=-1)
        assert not first.image.flags.writeable, "a frame's image must be read-only"
        kept = first.image.copy()
        second = self.next_frame(camera, after=first.seq)
        assert not np.shares_memory(first.image, second.image), "every frame must have a buffer of its own"
        self.next_frame(camera, after=second.seq)
        assert np.array_equal(first.image, kept), "a frame must never be written again"

    def test_frame_numbers_grow_with_time(self) -> None:
        """The same number is the same frame."""
        camera = self.connected()
        first = self.next_frame(camera, after=-1)
        second = self.next_frame(camera, after=first.seq)
        assert second.seq > first.seq, "frame numbers must grow"
        assert second.captured > first.captured, "capture times must grow with frame numbers"

    def test_reading_does_not_wait_for_a_frame(self) -> None:
        """Reads faster than the camera must see the same frame twice."""
        camera = self.connected()
        self.next_frame(camera, after=-1)
        # Ten reads take microseconds; if each of them gives another frame, each has waited for one.
        numbers = [camera.read_latest(PATIENCE_S).seq for _ in range(10)]
        assert len(set(numbers)) < 10, "read_latest must never wait for the next frame"

    def test_old_frames_are_marked_stale(self) -> None:
        """By the age that the caller allows."""
        camera = self.connected()
        frame = self.next_frame(camera, after=-1)
        self.clock.sleep_until(frame.captured + 1e-3)
        assert not camera.read_latest(PATIENCE_S * 10).stale, "a frame younger than max_age must not be stale"
        assert camera.read_latest(0.0).stale, "a frame older than max_age must be stale"
