"""`lr import-lerobot`: what LeRobot left is found by its shape, only read, and put into a rig file that works."""

from __future__ import annotations

import json
import os
import tomllib
from pathlib import Path
from typing import Any

import pytest
from lerobot_core import importing
from lerobot_core.calibration import fingerprint, load
from lerobot_core.cli.main import main
from lerobot_core.peer_files import FoundCalibration
from lerobot_core.registry import Registry
from lerobot_core.rig_text import Device, render

MOTORS = {"pan": {"id": 1, "drive_mode": 0, "homing_offset": -1470, "range_min": 758, "range_max": 3292}}
PLUGIN = """
from dataclasses import dataclass
from lerobot_core.config.bases import DeviceConfig, RobotConfig
from lerobot_core.config.fields import option
from lerobot_core.hookspecs import hookimpl
from lerobot_core.specs import PolicySpec, RobotSpec, TeleoperatorSpec
@dataclass(frozen=True, kw_only=True)
class Arm(RobotConfig):
    port: str = option(help="port")
@hookimpl
def lerobot_robots():
    return [RobotSpec(name=n, summary="", config=Arm, build=print, peer_name="x_follower") for n in ("x1", "x2")]
@hookimpl
def lerobot_teleoperators():
    return TeleoperatorSpec(name="pad", summary="", config=DeviceConfig, build=print, peer_name="x_leader")
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The peer's folder of somebody who has the plugin `acme`; the command runs beside it."""
    site = tmp_path / "site"
    info = site / "acme-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Name: acme\nVersion: 1.0\nSummary: x\nRequires-Dist: lerobot-core>=0.1,<0.2\n")
    points = "[lerobot.robot]\nx1 = acme\nx2 = acme\n[lerobot.teleoperator]\npad = acme\n[lerobot.policy]\nact = acme\n"
    (info / "entry_points.txt").write_text(points)
    (site / "acme.py").write_text(PLUGIN)
    monkeypatch.setenv("PYTHONPATH", str(site))
    monkeypatch.setattr(importing, "default_registry", lambda: Registry(paths=[str(site)], environ={}))
    monkeypatch.setattr(importing, "_ports", lambda: ["/dev/ttyACM0"])
    home = tmp_path / "hf" / "lerobot"
    home.mkdir(parents=True)
    monkeypatch.setenv("HF_HOME", str(home.parent))
    for name in ("HF_LEROBOT_HOME", "HF_LEROBOT_CALIBRATION", "HF_HUB_CACHE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    return home


def calibrated(home: Path, where: str, saved: float = 1.0, **change: int) -> Path:
    path = home / "calibration" / f"{where}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"pan": MOTORS["pan"] | change}))
    os.utime(path, (saved, saved))
    return path


def dataset(folder: Path, **info: Any) -> None:
    (folder / "meta").mkdir(parents=True)
    (folder / "data").mkdir()
    (folder / "meta" / "info.json").write_text(json.dumps(info))


def checkpoint(folder: Path, family: str) -> None:
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps({"type": family}))
    (folder / "model.safetensors").write_bytes(b"")


def imported(capsys: pytest.CaptureFixture[str], *argv: str) -> dict[str, Any]:
    assert main(["import-lerobot", "--json", *argv]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out.splitlines()[-1])
    return found


def test_the_rig_has_the_newest_devices_and_names_the_others(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    calibrated(home, "robots/x_follower/old", saved=1.0)
    newest = calibrated(home, "robots/x_follower/bench", saved=2.0, range_max=3000)
    calibrated(home, "teleoperators/x_leader/None")
    found = imported(capsys)
    assert [(row["id"], row["type"]) for row in found["calibrations"]] == [
        ("bench", "x1"),
        ("old", "x1"),
        (None, "pad"),
    ]
    text = Path("rig.toml").read_text()
    rig = tomllib.loads(text)
    held = load(newest)
    assert held is not None
    assert rig["robot"] == {"type": "x1", "id": "bench", "calibration_hash": fingerprint(held)}
    assert rig["teleop"].keys() == {"type", "calibration_hash"}
    assert '# id = "old"' in text
    assert '# port = "/dev/ttyACM0"' in text
    chosen = text.replace('# port = "/dev/ttyACM0"', 'port = "/dev/ttyACM0"', 1)
    assert tomllib.loads(chosen)["robot"]["port"] == "/dev/ttyACM0"


def test_an_older_folder_is_called_as_the_type_and_has_to_be_named(home: Path) -> None:
    path = calibrated(home, "robots/x2/left")
    assert main(["import-lerobot"]) == 0
    robot = tomllib.loads(Path("rig.toml").read_text())["robot"]
    assert (robot["type"], robot["calibration_dir"]) == ("x2", str(path.parent))


def test_another_home_and_another_folder_of_calibrations(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    calibrated(home, "robots/x_follower/at_home")
    other = calibrated(tmp_path / "other", "robots/x_follower/moved").parents[2]
    monkeypatch.setenv("HF_LEROBOT_CALIBRATION", str(other))
    assert [row["id"] for row in imported(capsys)["calibrations"]] == ["moved"]
    assert "calibration_dir" not in Path("rig.toml").read_text()
    found = imported(capsys, "--home", str(home), "--rig", "b.toml")
    assert [row["id"] for row in found["calibrations"]] == ["at_home"]
    assert "calibration_dir" in Path("b.toml").read_text()


def test_nothing_that_is_there_is_overwritten_unasked_and_the_peers_folder_is_only_read(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    calibrated(home, "robots/x_follower/bench")
    before = {path: path.stat().st_mtime_ns for path in home.rglob("*")}
    Path("rig.toml").write_text("mine")
    assert main(["import-lerobot"]) == 1
    told = capsys.readouterr()
    assert "x_follower" in told.out
    assert "--yes replaces it" in told.err
    assert Path("rig.toml").read_text() == "mine"
    imported(capsys, "--yes")
    assert "bench" in Path("rig.toml").read_text()
    assert {path: path.stat().st_mtime_ns for path in home.rglob("*")} == before


def test_datasets_of_every_version_and_place_are_found_once(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    dataset(
        home / "me/cube", codebase_version="v3.0", total_episodes=3, total_frames=90, fps=30, robot_type="x_follower"
    )
    dataset(home / "me/old", codebase_version="v2.1")
    dataset(home.parent / "hub/datasets--lerobot--pusht/snapshots/abc", codebase_version="v3.0", fps="odd")
    (home / "me/again").symlink_to(home / "me/cube")
    found = {row["repo_id"]: row for row in imported(capsys)["datasets"]}
    assert found.keys() == {"me/cube", "me/old", "lerobot/pusht"}
    assert (found["me/cube"]["episodes"], found["me/cube"]["fps"]) == (3, 30)
    assert found["lerobot/pusht"]["fps"] is None
    assert main(["import-lerobot"]) == 0
    told = capsys.readouterr().out
    assert f"lr dataset convert {home}/me/old --to old_v3" in told
    assert "calibrations: none" in told
    assert not Path("rig.toml").exists()


def test_of_a_training_run_the_newest_checkpoint_is_named(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = Path("outputs/train/run/checkpoints")
    for step in ("000200", "001000"):
        checkpoint(run / step / "pretrained_model", "act")
    (run / "last").symlink_to("001000")
    checkpoint(home.parent / "hub/models--lerobot--pi/snapshots/abc", "pi0")
    checkpoint(home.parent / "hub/models--other--bert/snapshots/abc", "")
    found = imported(capsys)["checkpoints"]
    assert {(row["type"], row["installed"]) for row in found} == {("act", True), ("pi0", False)}
    assert any(row["path"].endswith("001000/pretrained_model") for row in found)
    assert main(["import-lerobot"]) == 0
    told = capsys.readouterr().out
    assert "lr rollout --robot NAME --policy outputs/train/run/checkpoints/001000/pretrained_model" in told
    assert "pip install lerobot-policy-pi0" in told


def test_damaged_files_cost_a_line_and_unknown_devices_say_what_is_missing(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (home / "calibration/robots/x_follower").mkdir(parents=True)
    (home / "calibration/robots/x_follower/bad.json").write_text("{")
    calibrated(home, "robots/so_follower/arm")
    (home / "broken/meta").mkdir(parents=True)
    (home / "broken/meta/info.json").write_text("[")
    found = imported(capsys)
    assert found["rig"] is None
    assert [row["type"] for row in found["calibrations"]] == [None]
    assert len([text for text in found["problems"] if "bad.json" in text or "info.json" in text]) == 2
    assert main(["import-lerobot"]) == 0
    assert "no plugin: pip install lerobot-robot-so100" in capsys.readouterr().out


def test_where_nothing_is_it_says_where_it_looked(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["import-lerobot"]) == 1
    assert f"nothing of LeRobot's is in {home}" in capsys.readouterr().err
    assert main(["import-lerobot", "--rig", "rig.yaml"]) == 2


@pytest.mark.parametrize("odd", ['a"b', "a\nb", "a\\b", "a\x7fb", "é😀"])
def test_any_file_name_makes_a_well_formed_rig(odd: str, tmp_path: Path) -> None:
    found = FoundCalibration("robot", "x", odd, tmp_path / f"{odd}.json", "sha256:0", 0.0)
    both = [Device("x1", "x", True, found), Device("x1", "x", True, found)]
    rig = tomllib.loads(render(both, [odd], tmp_path / odd))
    assert rig["robot"]["id"] == odd
