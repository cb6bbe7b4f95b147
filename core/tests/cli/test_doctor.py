"""`lr doctor`: everything wrong at once, each with its fix."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from lerobot_core import doctor_machine
from lerobot_core.doctor import Report, lines
from lerobot_core.doctor_devices import reading, unwell, watching
from lerobot_core.doctor_machine import calibrations, disk, ports, registry_problems, unmet
from lerobot_core.errors import BusError, CameraError
from lerobot_core.registry import Registry
from lerobot_core.types import Frame, Problem


def doctor(*argv: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "lerobot_core", "doctor", *argv],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        env={**os.environ, "LEROBOT_PLUGINS": "acme", **environ},
        check=False,
    )


def metadata(folder: Path, name: str, requires: str = "lerobot-core", entry_points: str = "") -> None:
    info = folder / f"{name.replace('-', '_')}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\nRequires-Dist: {requires}\n")
    (info / "entry_points.txt").write_text(entry_points)


class HandClock:
    """Time passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.t = 0.0

    def now(self) -> float:
        return self.t

    def sleep_until(self, t: float) -> None:
        self.t = max(self.t, t)


# --- as a command ---------------------------------------------------------------------------------------------------


def test_a_healthy_machine_with_fakes(tmp_path: Path) -> None:
    done = doctor(
        "--robot", "fake", "--teleop", "fake", "--camera.front", "fake", "--json", HF_LEROBOT_HOME=str(tmp_path)
    )
    report = json.loads(done.stdout.splitlines()[-1])
    assert [problem for problem in report["problems"] if problem["level"] == "error"] == []
    assert (done.returncode, report["ok"], report["schema"], report["verb"]) == (0, True, 1, "doctor")
    assert (report["devices"]["robot"]["reads"], report["devices"]["teleop"]["failed"]) == (50, 0)
    assert report["cameras"]["front"]["identity"] == "fake-0"
    assert report["cameras"]["front"]["fps"] == pytest.approx(30, rel=0.2)
    assert list(report["facts"]) == [
        "python",
        "core",
        "distributions",
        "calibrations",
        "serial ports",
        "disk",
        "plugins",
    ]


def test_everything_wrong_is_said_at_once_and_the_exit_code_is_one(tmp_path: Path) -> None:
    metadata(tmp_path, "acme", "lerobot-core>=0.1", "[lerobot.robot]\nbroken = acme_broken\n")
    done = doctor(
        "--robot", "fake", "--robot.fault", "bus_gone", "--robot.fault-after", "0",
        "--camera.front", "fake", "--camera.front.fault", "frozen", "--camera.front.fault-after", "1",
        PYTHONPATH=str(tmp_path),
    )  # fmt: skip
    assert done.returncode == 1
    assert "error acme 1.0: robot 'broken' (acme 1.0) cannot be loaded: ModuleNotFoundError" in done.stdout
    assert "robot fake: could not be read" in done.stdout
    assert "error robot: " in done.stdout
    assert "error camera.front: fewer than two frames in 1.5 s" in done.stdout or "camera front: " in done.stdout
    assert done.stdout.splitlines()[-1].startswith(("2 errors", "3 errors"))


# --- checks ---------------------------------------------------------------------------------------------------------


def test_what_distributions_ask_of_each_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    metadata(tmp_path, "lerobot-a", "lerobot-core>=7")
    metadata(tmp_path, "lerobot-b", "lerobot-c")
    metadata(tmp_path, "lerobot-e", "lerobot-f; extra == 'more'")
    metadata(tmp_path, "lerobot-dataset", "numpy")
    monkeypatch.syspath_prepend(str(tmp_path))
    ours = {**dict.fromkeys(("lerobot-a", "lerobot-b", "lerobot-e", "lerobot-dataset"), "1.0"), "lerobot-core": "0.1.0"}
    assert ours.items() <= dict(doctor_machine.distributions()).items()
    problems = list(unmet(ours))
    assert problems == [
        Problem(
            "error",
            "lerobot-a",
            "it needs lerobot-core>=7, installed is 0.1.0",
            "pip install -U lerobot-a lerobot-core",
        ),
        Problem("error", "lerobot-b", "it needs lerobot-c, which is not installed", "pip install lerobot-c"),
        Problem(
            "warning",
            "lerobot-dataset",
            "this is somebody else's distribution",
            "pip uninstall lerobot-dataset; pip install lerobot-storage-v3",
        ),
    ]


def test_broken_metadata_and_names_offered_twice(tmp_path: Path) -> None:
    metadata(tmp_path, "acme-a", entry_points="[lerobot.robot]\narm = a\n")
    metadata(tmp_path, "acme-b", entry_points="[lerobot.robot]\narm = b\n")
    metadata(tmp_path, "acme-c", entry_points="nonsense")
    broken, twice = registry_problems(Registry(paths=[str(tmp_path)], environ={}))
    assert "malformed" in broken.text
    assert (twice.where, twice.text) == ("robot arm", "offered by acme-a and acme-b")
    assert twice.fix == "name one in full (acme-a:arm), or pip uninstall acme-b"


def test_calibrations_that_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "robots" / "so_follower"
    folder.mkdir(parents=True)
    motor = {"id": 1, "drive_mode": 0, "homing_offset": 0, "range_min": 0, "range_max": 4095}
    (folder / "good.json").write_text(json.dumps({"pan": motor}))
    (folder / "good.meta.json").write_text("{}")
    (folder / "bad.json").write_text("{")
    monkeypatch.setenv("HF_LEROBOT_CALIBRATION", str(tmp_path))
    report = Report()
    (problem,) = calibrations(report)
    assert report.facts["calibrations"] == f"2 in {tmp_path}"
    assert "bad.json cannot be read" in problem.text


def test_a_port_without_permission_names_its_group(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "ttyACM0").touch()
    report = Report()
    assert list(ports(report, tmp_path)) == []
    assert report.facts["serial ports"] == str(tmp_path / "ttyACM0")
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    monkeypatch.setattr("lerobot_core.devices.ports._group", lambda path: ("dialout", 0o660))
    (problem,) = ports(report, tmp_path)
    assert problem.level == "error"
    assert problem.fix == "sudo usermod -aG dialout $USER, then log out and in again"


def test_little_room_is_a_warning(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HF_LEROBOT_HOME", str(tmp_path / "not" / "yet"))
    monkeypatch.setattr(doctor_machine, "LOW_DISK_GB", 1e9)
    report = Report()
    (problem,) = disk(report)
    assert problem.level == "warning"
    assert str(tmp_path / "not" / "yet") in report.facts["disk"]


def test_failed_reads_are_counted_and_timed() -> None:
    clock, count = HandClock(), iter(range(1000))

    def read() -> None:
        clock.t += 0.002
        if next(count) % 10 == 0:
            raise BusError("no answer")

    seen = reading(read, clock)  # type: ignore[arg-type]
    assert (seen["reads"], seen["failed"]) == (50, 5)
    assert seen["read_ms"]["p50"] == pytest.approx(2.0)
    assert clock.t == pytest.approx(0.492), "fifty reads at 100 Hz"


class Camera:
    """Frames at `fps`, seen through the clock."""

    def __init__(self, clock: HandClock, fps: float) -> None:
        self.clock, self.fps = clock, fps

    def read_latest(self, max_age: float) -> Frame:
        seq = int(self.clock.t * self.fps)
        if not seq:
            raise CameraError("no frame has arrived yet")
        image: Any = None
        return Frame(image, seq / self.fps, seq)


@pytest.mark.parametrize(
    ("fps", "measured"), [(30.0, 30.0), (12.0, 12.0), (400.0, 400.0), (0.4, None), (0.9, None), (1.5, 1.5)]
)
def test_the_rate_of_a_camera_is_measured_by_its_own_times(fps: float, measured: float | None) -> None:
    clock = HandClock()
    seen = watching(Camera(clock, fps), clock)  # type: ignore[arg-type]
    assert seen["fps"] == (None if measured is None else pytest.approx(measured))


def test_what_motors_complain_about() -> None:
    well = {"motor": "pan", "id": 1, "voltage": 12.1, "temperature": 31.0, "errors": ()}
    assert unwell("robot", well) == []
    hot, overload = {**well, "temperature": 60.0}, {**well, "errors": ("overload", "voltage")}
    assert [(p.level, p.where, p.text) for p in unwell("robot", hot)] == [("warning", "robot pan", "60 C is hot")]
    assert [(p.level, p.text) for p in unwell("robot", {**well, "lost": 3})] == [("warning", "3 of 100 reads lost")]
    assert [(p.level, p.text) for p in unwell("robot", overload)] == [("error", "overload, voltage")]


def test_the_verdict_counts() -> None:
    report = Report(facts={"core": "0.1"})
    assert lines(report) == ["core: 0.1", "nothing wrong was found"]
    report.problems += [Problem("warning", "a", "b", "c\nd"), Problem("error", "e", "f"), Problem("error", "g", "h")]
    assert not report.ok
    assert lines(report)[1:] == ["warning a: b", "  c", "  d", "error e: f", "error g: h", "2 errors, 1 warning"]
