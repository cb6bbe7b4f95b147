"""A follower arm on a bench bus: what is written and when, and every bad input caught before anything moves."""

from __future__ import annotations

import dataclasses
import math
import struct
from typing import Any

import pytest
from arm_bench import CALIBRATION, MOTORS, PROFILE, START, BenchBus, follower
from lerobot_core.arm.profile import Setting
from lerobot_core.errors import BusError, CalibrationError, ContractError, DeviceError
from lerobot_core.types import MotorCalibration


@pytest.fixture
def bus() -> BenchBus:
    return BenchBus()


def written(bus: BenchBus, register: str) -> dict[str, int]:
    return {write.motor: write.value for write in bus.writes if write.register == register}


# --- reading only -------------------------------------------------------------------------------------------------------


def test_features_have_units_ranges_and_speeds_before_connect(bus: BenchBus) -> None:
    features = follower(bus).action_features
    assert list(features) == ["pan.pos", "lift.pos", "gripper.pos"]
    assert [f.unit for f in features.values()] == ["deg", "pct100", "pct"]
    assert [f.max_rate for f in features.values()] == [180.0, 150.0, 200.0]
    assert features["pan.pos"].high == pytest.approx((3292 - 758) / 2 * 360 / 4095)


def test_connecting_writes_nothing(bus: BenchBus) -> None:
    arm = follower(bus)
    arm.connect()
    seen = arm.get_observation()
    assert seen["pan.pos"] == pytest.approx((2048 - 2025) * 360 / 4095)
    assert seen["gripper.pos"] == pytest.approx(100 * 500 / 1500)
    arm.disconnect()
    assert bus.writes == []


# --- engage and disengage ---------------------------------------------------------------------------------------------------


def test_torque_goes_on_with_the_goal_at_the_present_pose(bus: BenchBus) -> None:
    bus.registers["pan"]["Goal_Position"] = 100
    arm = follower(bus)
    arm.connect()
    arm.engage()
    names = [write.register for write in bus.writes]
    assert written(bus, "Goal_Position") == START
    assert names.index("Goal_Position") < names.index("Lock")
    assert max(i for i, n in enumerate(names) if n == "Goal_Position") < min(
        i for i, w in enumerate(bus.writes) if (w.register, w.value) == ("Torque_Enable", 1)
    )
    assert bus.torque == [1, 1, 1]


def test_settings_are_written_with_torque_off_and_stored_ones_only_where_they_differ(bus: BenchBus) -> None:
    bus.registers["lift"]["P_Coefficient"] = 16
    arm = follower(bus)
    arm.connect()
    arm.engage()
    assert written(bus, "Acceleration") == {"pan": 254, "lift": 254, "gripper": 254}
    assert written(bus, "P_Coefficient") == {"pan": 16, "gripper": 16}
    assert written(bus, "Phase") == {"pan": 0x0C}
    first_on = next(i for i, w in enumerate(bus.writes) if (w.register, w.value) == ("Torque_Enable", 1))
    assert all(w.register in ("Torque_Enable", "Lock") for w in bus.writes[first_on:])


def test_an_arm_that_was_left_holding_is_not_let_go(bus: BenchBus) -> None:
    arm = follower(bus)
    arm.connect()
    arm.engage()
    arm.disconnect(keep_torque=True)
    bus.writes.clear()
    arm.connect()
    arm.engage()
    assert 0 not in [write.value for write in bus.writes if write.register == "Torque_Enable"]
    assert written(bus, "Goal_Position") == START


def test_a_failing_engage_leaves_torque_off(bus: BenchBus) -> None:
    arm = follower(bus)
    arm.connect()
    bus.silent_for = {}
    original = bus.write

    def write(register: str, motor: str, value: int, eeprom: bool = False) -> None:
        if (register, motor, value) == ("Torque_Enable", "gripper", 1):
            raise BusError("motor 'gripper' does not answer", motor="gripper", count=4)
        original(register, motor, value, eeprom)

    bus.write = write  # type: ignore[method-assign]
    with pytest.raises(BusError, match="gripper"):
        arm.engage()
    assert bus.torque == [0, 0, 0]
    assert not arm.is_engaged


def test_disengage_tells_every_motor_also_when_one_keeps_silent(bus: BenchBus) -> None:
    arm = follower(bus)
    arm.connect()
    arm.engage()
    bus.silent_for = {"pan": 99}
    with pytest.raises(BusError, match="torque could not be switched off on pan") as caught:
        arm.disengage()
    assert caught.value.motor == "pan"
    assert bus.torque == [0, 0, 0]


def test_disengage_on_a_bus_that_is_gone_blames_no_motor(bus: BenchBus) -> None:
    arm = follower(bus)
    arm.connect()
    arm.engage()
    bus.gone = True
    with pytest.raises(BusError, match="gone") as caught:
        arm.disengage()
    assert caught.value.motor is None


def test_disconnect_may_keep_the_torque(bus: BenchBus) -> None:
    arm = follower(bus)
    arm.connect()
    arm.engage()
    arm.disconnect(keep_torque=True)
    assert bus.torque == [1, 1, 1]
    assert not bus.is_open


def test_an_arm_that_was_left_holding_can_be_let_go_without_engaging(bus: BenchBus) -> None:
    arm = follower(bus)
    arm.connect()
    arm.engage()
    arm.disconnect(keep_torque=True)
    arm.connect()
    arm.let_go()
    assert bus.torque == [0, 0, 0]
    assert not arm.is_engaged


# --- actions ----------------------------------------------------------------------------------------------------------------


def engaged(bus: BenchBus, **options: Any) -> Any:
    arm = follower(bus, **options)
    arm.connect()
    arm.engage()
    bus.writes.clear()
    return arm


def test_what_was_sent_is_what_the_motors_were_told(bus: BenchBus) -> None:
    arm = engaged(bus)
    sent = arm.send_action({"pan.pos": 12.345, "lift.pos": -20.2, "gripper.pos": 71.0})
    told = written(bus, "Goal_Position")
    row = {key: struct.unpack("f", struct.pack("f", value))[0] for key, value in sent.items()}
    assert arm.servos.to_raw(row) == told
    assert abs(sent["pan.pos"] - 12.345) < 360 / 4095


def test_an_action_beyond_the_calibrated_range_is_clamped(bus: BenchBus) -> None:
    arm = engaged(bus)
    sent = arm.send_action({"pan.pos": 1e3, "lift.pos": -1e3, "gripper.pos": 1e3})
    assert written(bus, "Goal_Position") == {"pan": 3292, "lift": 1000, "gripper": 3500}
    assert sent["lift.pos"] == -100.0


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_is_never_sent(bus: BenchBus, bad: float) -> None:
    arm = engaged(bus)
    with pytest.raises(ContractError, match=r"lift\.pos"):
        arm.send_action({"pan.pos": 0.0, "lift.pos": bad, "gripper.pos": 0.0})
    assert bus.writes == []


def test_missing_and_unknown_joints_are_named(bus: BenchBus) -> None:
    arm = engaged(bus)
    with pytest.raises(ContractError, match=r"missing: gripper\.pos, lift\.pos; unknown: wrist\.pos"):
        arm.send_action({"pan.pos": 0.0, "wrist.pos": 0.0})


def test_the_lifecycle_is_kept(bus: BenchBus) -> None:
    arm = follower(bus)
    for call in (arm.engage, arm.get_observation):
        with pytest.raises(DeviceError, match="connect"):
            call()
    arm.connect()
    with pytest.raises(DeviceError, match="engage"):
        arm.send_action(dict.fromkeys(PROFILE.keys, 0.0))


# --- motors that fail ---------------------------------------------------------------------------------------------------------


def test_a_motor_that_comes_back_limp_is_noticed(bus: BenchBus) -> None:
    arm = engaged(bus)
    bus.silent_for = {"lift": 1}
    with pytest.raises(BusError, match="does not answer"):
        arm.get_observation()
    bus.registers["lift"]["Torque_Enable"] = 0
    for _ in range(3):
        with pytest.raises(BusError, match="lift went limp") as caught:
            arm.get_observation()
        assert caught.value.motor == "lift"


def test_a_motor_that_was_only_silent_costs_nothing_more(bus: BenchBus) -> None:
    arm = engaged(bus)
    bus.silent_for = {"lift": 1}
    with pytest.raises(BusError):
        arm.get_observation()
    assert arm.get_observation().flags == set()


def test_complaints_become_flags(bus: BenchBus) -> None:
    arm = engaged(bus)
    bus.unwell = {"gripper": ("overload",)}
    assert arm.get_observation().flags == {"overload:gripper"}


def test_health_has_a_row_a_motor_and_counts_what_was_lost(bus: BenchBus) -> None:
    arm = follower(bus)
    arm.connect()
    bus.silent_for = {"lift": 7}
    rows = arm.health()
    assert [row["motor"] for row in rows] == list(MOTORS)
    assert [row["lost"] for row in rows] == [0, 7, 0]
    assert set(rows[0]) == {"motor", "id", "model", "firmware", "voltage", "temperature", "errors", "lost"}


# --- calibrations that do not fit -------------------------------------------------------------------------------------------------


def test_an_arm_without_calibration_can_be_named_but_not_connected(bus: BenchBus) -> None:
    arm = follower(bus, None, id="left")
    assert arm.action_features["pan.pos"].low is None
    with pytest.raises(CalibrationError, match=r"robots/bench/left\.json") as caught:
        arm.connect()
    assert "lr calibrate --robot … --robot.port bench --robot.id left" in caught.value.fix
    assert not bus.is_open


def test_another_arms_calibration_is_caught_by_what_the_motors_hold(bus: BenchBus) -> None:
    other = CALIBRATION | {"pan": MotorCalibration(1, 0, 55, 700, 3200)}
    with pytest.raises(CalibrationError, match="pan Homing_Offset -1470, file 55") as caught:
        follower(bus, other).connect()
    assert "--robot.restore-calibration" in caught.value.fix
    assert not bus.is_open
    assert bus.writes == []


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"pan": MotorCalibration(9, 0, -1470, 758, 3292)}, "pan has id 9, not 1"),
        ({"wrist": MotorCalibration(4, 0, 0, 0, 4095)}, r"\+wrist"),
    ],
)
def test_a_calibration_of_other_motors_is_refused_when_built(bus: BenchBus, change: Any, text: str) -> None:
    with pytest.raises(CalibrationError, match=text):
        follower(bus, CALIBRATION | change)


def test_a_joint_outside_its_range_is_caught(bus: BenchBus) -> None:
    bus.shaft["lift"] += 2000
    with pytest.raises(CalibrationError, match=r"'lift' reads 4000, outside its calibrated 1000\.\.3000"):
        follower(bus).connect()


def test_restoring_writes_the_file_at_engage_and_positions_mean_the_same_before_and_after(bus: BenchBus) -> None:
    for name in MOTORS:
        bus.registers[name]["Homing_Offset"] += 100
        bus.registers[name]["Min_Position_Limit"] = 0
    arm = follower(bus, restore_calibration=True)
    arm.connect()
    before = dict(arm.get_observation())
    assert bus.writes == []
    assert before == pytest.approx({"pan.pos": 23 * 360 / 4095, "lift.pos": 0.0, "gripper.pos": 100 / 3})
    arm.engage()
    assert dict(arm.get_observation()) == before
    assert written(bus, "Homing_Offset") == {n: c.homing_offset for n, c in CALIBRATION.items()}
    assert bus.shaft == BenchBus().shaft


def test_offsets_that_are_added_are_restored_the_same_way() -> None:
    bus = BenchBus()
    profile = dataclasses.replace(PROFILE, homing="add")
    bus.sync_read = _adding(bus)  # type: ignore[method-assign]
    bus.shaft = {name: START[name] - CALIBRATION[name].homing_offset for name in MOTORS}
    bus.registers["pan"]["Homing_Offset"] = -1400
    arm = follower(bus, profile=profile, restore_calibration=True)
    arm.connect()
    assert arm.get_observation()["pan.pos"] == pytest.approx(23 * 360 / 4095)


def _adding(bus: BenchBus) -> Any:
    subtracting = bus.sync_read

    def sync_read(register: str, motors: Any = None) -> dict[str, int]:
        found = subtracting(register, motors)
        if register == "Present_Position":
            return {name: bus.shaft[name] + bus.registers[name]["Homing_Offset"] for name in found}
        return found

    return sync_read


def test_a_masked_setting_leaves_the_other_bits() -> None:
    assert Setting("Phase", 0, mask=0x10).applied(0x1C) == 0x0C
    assert Setting("Phase", 0xFF, mask=0x10).applied(0x0C) == 0x1C
