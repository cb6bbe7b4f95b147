"""The camera on a fake device and the virtual clock: losses, freezes, sizes; and on a real film."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fake_cv2 import Source, module
from lerobot_camera_opencv import camera as camera_module
from lerobot_camera_opencv.camera import OpenCVCamera
from lerobot_camera_opencv.config import OpenCVCameraConfig
from lerobot_camera_opencv.distribution import load
from lerobot_core.clock import RealClock
from lerobot_core.errors import CameraError, ConfigError
from lerobot_core.virtual_clock import VirtualClock

LOG = logging.getLogger("test.camera")


class Bench:
    """A camera, its source, and the clock both live on."""

    def __init__(self, **options: Any) -> None:
        self.clock = VirtualClock()
        self.source = Source(self.clock)
        self.camera = OpenCVCamera(
            OpenCVCameraConfig(**{"width": 64, "height": 48, "fps": 100.0, "warmup_s": 0.0, **options}),
            self.clock,
            LOG,
            module(self.source),
        )

    def after(self, seconds: float) -> Any:
        """The newest frame then, stale when older than 50 ms."""
        self.clock.sleep_until(self.clock.now() + seconds)
        return self.camera.read_latest(0.05)


@pytest.fixture
def bench() -> Any:
    bench = Bench()
    bench.camera.connect()
    yield bench
    bench.camera.disconnect()


def test_frames_are_rgb_read_only_and_carry_their_capture_time(bench: Bench) -> None:
    frame = bench.after(0.1)
    assert tuple(frame.image[1, 1]) == (30, 20, 10)
    assert not frame.image.flags.writeable
    assert 0.0 <= bench.clock.now() - frame.captured <= 0.01
    assert not frame.stale


def test_every_picture_is_a_frame_and_reading_waits_for_none(bench: Bench) -> None:
    first = bench.camera.read_latest(1.0)
    assert bench.camera.read_latest(1.0).seq == first.seq
    assert bench.after(0.5).seq - first.seq == pytest.approx(50, abs=1)


def test_the_device_is_asked_for_format_size_and_rate_in_that_order() -> None:
    import cv2

    bench = Bench(fourcc="MJPG")
    bench.camera.connect()
    bench.camera.disconnect()
    assert [key for key, _ in bench.source.asked] == [
        cv2.CAP_PROP_FOURCC, cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT, cv2.CAP_PROP_FPS,
    ]  # fmt: skip


@pytest.mark.parametrize(("rotation", "corner"), [(90, (0, -1)), (180, (-1, -1)), (270, (-1, 0)), (-90, (-1, 0))])
def test_rotation_is_clockwise_and_sizes_are_those_of_the_result(rotation: int, corner: tuple[int, int]) -> None:
    bench = Bench(rotation=rotation, **({} if rotation == 180 else {"width": 48, "height": 64}))
    bench.camera.connect()
    frame = bench.after(0.1)
    bench.camera.disconnect()
    assert frame.image.shape == bench.camera.feature.shape
    # The pixel that was first in the device's picture is the only one without green.
    assert [tuple(at) for at in np.argwhere(frame.image[:, :, 1] == 0)] == [
        tuple(np.array(corner) % frame.image.shape[:2])
    ]


def test_another_size_is_refused_with_the_size_it_gives() -> None:
    bench = Bench(width=1280, height=720)
    with pytest.raises(CameraError, match="gives 64x48, not 1280x720") as caught:
        bench.camera.connect()
    assert "--camera.NAME.width 64 --camera.NAME.height 48" in caught.value.fix
    assert bench.source.released == 1
    assert not bench.camera.is_connected


def test_a_device_that_lies_about_its_size_is_refused_too() -> None:
    bench = Bench()
    bench.source.picture = lambda: np.zeros((24, 32, 3), np.uint8)  # type: ignore[method-assign]
    with pytest.raises(CameraError, match="gives 32x24"):
        bench.camera.connect()
    assert bench.source.released == 1


def test_a_camera_that_is_not_there_lists_those_that_are() -> None:
    bench = Bench(index_or_path="/dev/video_none")
    bench.source.plugged = False
    with pytest.raises(CameraError, match="there is no camera /dev/video_none") as caught:
        bench.camera.connect()
    assert "cameras here" in caught.value.why


def test_a_camera_without_pictures_is_refused_after_five_seconds() -> None:
    bench = Bench()
    bench.source.undecodable = True
    with pytest.raises(CameraError, match="gives no picture"):
        bench.camera.connect()
    assert bench.clock.now() == pytest.approx(camera_module.FIRST_S, abs=1.0)


def test_a_frozen_picture_is_stale_at_once_and_the_device_is_opened_again(bench: Bench) -> None:
    before = bench.after(0.1)
    bench.source.frozen = True
    frozen = bench.after(0.3)
    assert frozen.stale
    assert frozen.seq - before.seq <= 1
    bench.clock.sleep_until(bench.clock.now() + camera_module.FROZEN_S + camera_module.AGAIN_S)
    assert bench.source.opened >= 2
    bench.source.frozen = False
    after = bench.after(2.0)
    assert not after.stale
    assert after.seq > frozen.seq


def test_a_picture_that_may_stand_still_is_fresh() -> None:
    bench = Bench(still_ok=True)
    bench.camera.connect()
    bench.source.frozen = True
    assert not bench.after(3.0).stale
    assert bench.source.opened == 1
    bench.camera.disconnect()


def test_a_short_loss_is_a_stale_frame_and_then_it_goes_on(bench: Bench) -> None:
    bench.source.plugged = False
    assert bench.after(0.4).stale
    bench.source.plugged = True
    frame = bench.after(1.0)
    assert not frame.stale
    assert bench.source.opened == 2


def test_a_camera_that_stays_away_is_an_error_and_comes_back_when_it_does(bench: Bench) -> None:
    bench.source.plugged = False
    with pytest.raises(CameraError):
        bench.after(camera_module.GONE_S + 2.0)
    bench.source.plugged = True
    assert not bench.after(2.0).stale


def test_what_the_driver_raises_is_told_at_the_next_reading(bench: Bench) -> None:
    bench.source.breaks = True
    with pytest.raises(CameraError, match="failed") as caught:
        bench.after(0.1)
    assert "bad day" in caught.value.why


def test_the_exposure_is_given_time_to_settle() -> None:
    bench = Bench(warmup_s=1.0)
    bench.camera.connect()
    assert bench.clock.now() >= 1.0
    assert bench.camera.read_latest(0.05).seq > 90
    bench.camera.disconnect()


@pytest.mark.parametrize("options", [{"rotation": 45}, {"fourcc": "MJPEG"}])
def test_impossible_options_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        OpenCVCameraConfig(**options)


# --- the real OpenCV, on a film --------------------------------------------------------------------------------------------


def film_camera(film: Path, clock: Any, **options: Any) -> OpenCVCamera:
    config = OpenCVCameraConfig(index_or_path=str(film), width=96, height=64, warmup_s=0.0, **options)
    return OpenCVCamera(config, clock, LOG, load())


def test_a_film_plays_at_its_rate_and_begins_again(film: Path) -> None:
    clock = VirtualClock()
    camera = film_camera(film, clock)
    camera.connect()
    edges = []
    for i in range(1, 31):
        clock.sleep_until(i / 30 + 1e-3)
        image = camera.read_latest(1.0).image
        edges.append(int((image[32, :, 0] > 128).sum()))
    camera.disconnect()
    assert edges[:20] == pytest.approx(list(range(20, 60, 2)), abs=2)
    assert edges[20:] == pytest.approx(edges[:10], abs=2)


def test_a_film_of_another_size_is_refused(film: Path) -> None:
    camera = OpenCVCamera(OpenCVCameraConfig(index_or_path=str(film)), RealClock(), LOG, load())
    with pytest.raises(CameraError, match="gives 96x64, not 640x480"):
        camera.connect()


def test_a_file_that_is_no_film_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "film.avi"
    path.write_text("no film")
    with pytest.raises(CameraError, match="cannot be opened"):
        film_camera(path, RealClock()).connect()
