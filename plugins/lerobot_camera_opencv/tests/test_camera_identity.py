"""Cameras as Linux lists them, on a made-up /dev and /sys; and which OpenCV is installed."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path

import pytest
from lerobot_camera_opencv import distribution
from lerobot_camera_opencv.identity import is_file, lasting, video_devices
from lerobot_camera_opencv.plugin import find


@pytest.fixture
def system(tmp_path: Path) -> tuple[Path, Path]:
    """Two cameras with two nodes each, the second one without a by-id path."""
    dev, sys = tmp_path / "dev", tmp_path / "sys"
    for number in range(4):
        entry = sys / f"class/video4linux/video{number}"
        entry.mkdir(parents=True)
        (entry / "index").write_text(f"{number % 2}\n")
        (entry / "name").write_text("Wrist Camera\n" if number < 2 else "Front Camera\n")
        (dev / "v4l/by-id").mkdir(parents=True, exist_ok=True)
        (dev / f"video{number}").touch()
    (dev / "v4l/by-id/usb-Acme_42-video-index0").symlink_to("../../video0")
    return dev, sys


def test_each_camera_is_listed_once_by_its_best_name(system: tuple[Path, Path]) -> None:
    found = video_devices(*system)
    assert [(device.name, Path(device.identity).name) for device in found] == [
        ("Wrist Camera", "usb-Acme_42-video-index0"),
        ("Front Camera", "video2"),
    ]


def test_a_number_is_kept_as_the_path_that_lasts(system: tuple[Path, Path]) -> None:
    dev, sys = system
    assert lasting(0, dev, sys) == str(dev / "v4l/by-id/usb-Acme_42-video-index0")
    assert lasting(str(dev / "video0"), dev, sys) == str(dev / "v4l/by-id/usb-Acme_42-video-index0")
    assert lasting(2, dev, sys) == 2
    assert lasting("rtsp://camera/1", dev, sys) == "rtsp://camera/1"


def test_a_recording_is_told_from_a_device(tmp_path: Path) -> None:
    film = tmp_path / "film.mp4"
    film.touch()
    assert is_file(str(film))
    assert not is_file(0)
    assert not is_file("/dev/null")


def test_listing_opens_nothing_and_needs_no_opencv() -> None:
    assert isinstance(find(), list)


def test_no_opencv_and_two_of_them_are_problems(monkeypatch: pytest.MonkeyPatch) -> None:
    there: dict[str, str] = {}

    def version(name: str) -> str:
        if name not in there:
            raise metadata.PackageNotFoundError(name)
        return there[name]

    monkeypatch.setattr(distribution.metadata, "version", version)
    assert [problem.level for problem in distribution.problems()] == ["error"]
    there["opencv-python"] = "4.11"
    assert distribution.problems() == []
    there["opencv-python-headless"] = "4.10"
    (problem,) = distribution.problems()
    assert "opencv-python 4.11 and opencv-python-headless 4.10" in problem.text
