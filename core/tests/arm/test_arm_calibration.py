"""Calibrating an arm, giving its motors ids, and the files that remain."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from arm_bench import MOTORS, BenchBus, Person, folder, follower
from lerobot_core.calibration import calibration_path, fingerprint, load, load_for
from lerobot_core.contracts.bus import FoundMotor
from lerobot_core.errors import BusError, CalibrationError, UserError


@pytest.fixture
def bus() -> BenchBus:
    return BenchBus()


def sweeping(bus: BenchBus, names: tuple[str, ...] = tuple(MOTORS), reach: int = 900) -> Person:
    """Middle pose at encoder 2500, then both ends."""

    def to(offset: int) -> None:
        for name in names:
            bus.shaft[name] = 2500 + offset

    def middle(what: str) -> None:
        for name in MOTORS:
            bus.shaft[name] = 2500

    return Person(middle, [lambda: to(-reach), lambda: to(reach)])


def test_the_middle_pose_reads_2047_and_ranges_go_to_motors_and_file(bus: BenchBus, tmp_path: Path) -> None:
    person = sweeping(bus)
    follower(bus, None, **folder(tmp_path)).calibrate(person)
    assert not bus.is_open
    held = json.loads((tmp_path / "mine.json").read_text())
    assert held["pan"] == {"id": 1, "drive_mode": 0, "homing_offset": 453, "range_min": 1147, "range_max": 2947}
    assert bus.registers["pan"]["Homing_Offset"] == 453
    assert bus.registers["pan"]["Max_Position_Limit"] == 2947
    assert bus.torque == [0, 0, 0]
    assert person.said[-1] == f"saved {tmp_path / 'mine.json'}"


def test_the_calibrated_arm_connects(bus: BenchBus, tmp_path: Path) -> None:
    follower(bus, None, **folder(tmp_path)).calibrate(sweeping(bus))
    arm = follower(bus, load(tmp_path / "mine.json"), **folder(tmp_path))
    arm.connect()
    assert arm.get_observation()["lift.pos"] == 100.0


def test_files_are_the_peers_byte_for_byte_with_ours_beside_and_a_backup(bus: BenchBus, tmp_path: Path) -> None:
    for _ in range(2):
        follower(bus, None, **folder(tmp_path)).calibrate(sweeping(bus))
    path = tmp_path / "mine.json"
    held = load(path)
    assert held is not None
    assert path.read_text().startswith(
        '{\n    "pan": {\n        "id": 1,\n        "drive_mode": 0,\n        "homing_offset": 453,'
    )
    meta = json.loads((tmp_path / "mine.meta.json").read_text())
    assert meta["hash"] == fingerprint(held)
    assert meta["version"] == 1
    (backup,) = (tmp_path / "backups").iterdir()
    assert backup.read_text() == path.read_text()


def test_a_joint_that_was_not_moved_is_named_and_nothing_is_saved(bus: BenchBus, tmp_path: Path) -> None:
    with pytest.raises(CalibrationError, match="not moved: lift"):
        follower(bus, None, **folder(tmp_path)).calibrate(sweeping(bus, ("pan", "gripper")))
    assert list(tmp_path.iterdir()) == []


def test_a_joint_that_wrapped_around_is_named(bus: BenchBus, tmp_path: Path) -> None:
    with pytest.raises(CalibrationError, match="went through a whole turn"):
        follower(bus, None, **folder(tmp_path)).calibrate(sweeping(bus, reach=2047))


def test_a_pose_beyond_the_offset_register_is_refused(bus: BenchBus, tmp_path: Path) -> None:
    def middle(what: str) -> None:
        bus.shaft = dict.fromkeys(MOTORS, 4095)

    with pytest.raises(CalibrationError, match="'pan' reads 4095 in the middle pose"):
        follower(bus, None, **folder(tmp_path)).calibrate(Person(middle))


def test_a_lost_packet_while_joints_are_moved_is_no_reason_to_begin_again(bus: BenchBus, tmp_path: Path) -> None:
    person = sweeping(bus)
    person.moves.insert(1, lambda: bus.silent_for.update(lift=1))
    follower(bus, None, **folder(tmp_path)).calibrate(person)
    assert (tmp_path / "mine.json").exists()


def test_without_a_person_nothing_is_changed(bus: BenchBus, tmp_path: Path) -> None:
    def nobody(what: str) -> None:
        raise UserError(f"a person is needed: {what}")

    before = {name: dict(registers) for name, registers in bus.registers.items()}
    with pytest.raises(UserError, match="a person is needed"):
        follower(bus, None, **folder(tmp_path)).calibrate(Person(nobody))
    for registers in bus.registers.values():
        registers.pop("Torque_Enable")
    assert bus.registers == before


# --- ids ----------------------------------------------------------------------------------------------------------------------


def test_motors_get_their_ids_last_one_first(bus: BenchBus) -> None:
    asked: list[str] = []
    bus.loose = [FoundMotor(1, "fake", 1_000_000)]
    person = Person(asked.append)
    follower(bus, None).setup_motors(person)
    assert bus.assigned == [3, 2, 1]
    assert ["gripper" in asked[0], "lift" in asked[1], "pan" in asked[2]] == [True] * 3


@pytest.mark.parametrize(
    ("loose", "text"),
    [
        ([], "no motor answers where 'gripper' should be"),
        ([FoundMotor(1, "fake", 0), FoundMotor(2, "fake", 0)], "several motors are connected: ids 1, 2"),
        ([FoundMotor(1, "big", 0)], "the motor connected for 'gripper' is a big"),
    ],
)
def test_the_wrong_motors_are_refused(bus: BenchBus, loose: list[FoundMotor], text: str) -> None:
    bus.loose = loose
    with pytest.raises(BusError, match=text):
        follower(bus, None).setup_motors(Person())
    assert bus.assigned == []


# --- files -----------------------------------------------------------------------------------------------------------------


def test_the_peers_folders(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HF_LEROBOT_HOME", str(tmp_path))
    monkeypatch.delenv("HF_LEROBOT_CALIBRATION", raising=False)
    assert calibration_path("robot", "so_follower", "a") == tmp_path / "calibration/robots/so_follower/a.json"
    assert calibration_path("teleoperator", "so_leader", None).name == "None.json"
    monkeypatch.setenv("HF_LEROBOT_CALIBRATION", str(tmp_path / "other"))
    assert calibration_path("robot", "so_follower", "a") == tmp_path / "other/robots/so_follower/a.json"


def test_a_rig_that_asks_for_another_calibration_is_refused(bus: BenchBus, tmp_path: Path) -> None:
    arm = follower(bus, None, **folder(tmp_path))
    arm.calibrate(sweeping(bus))
    config = type("Config", (), {"id": "mine", "calibration_dir": tmp_path, "calibration_hash": "sha256:0"})
    with pytest.raises(CalibrationError, match="is not the calibration this rig asks for"):
        load_for("robot", "bench", config)


@pytest.mark.parametrize("text", ["{", '{"pan": {"id": 1}}', '{"pan": 3}', "[]"])
def test_a_damaged_file_is_told(tmp_path: Path, text: str) -> None:
    path = tmp_path / "x.json"
    path.write_text(text)
    with pytest.raises(CalibrationError, match=r"x\.json"):
        load(path)


def test_nobody_moves_an_arm_for_a_calibration_that_cannot_be_saved(bus: BenchBus, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    person, before = sweeping(bus), dict(bus.registers["pan"])
    with pytest.raises(CalibrationError, match="cannot be saved") as refused:
        follower(bus, None, **folder(tmp_path / "file")).calibrate(person)
    assert refused.value.fix == "--robot.calibration-dir FOLDER"
    assert bus.registers["pan"] == before


@pytest.mark.parametrize("device_id", ["../other", "a/b", "", "."])
def test_an_id_is_a_plain_word(device_id: str) -> None:
    with pytest.raises(CalibrationError, match="no id of a robot"):
        calibration_path("robot", "so_follower", device_id)
