"""What an X-series servo's registers do: counting, offsets, modes, protection."""

from __future__ import annotations

import pytest
from lerobot_sim.servo.drive import Drive, FreePlant
from lerobot_sim.servo.dynamixel_servo import ACCESS, RANGE, DynamixelServo
from lerobot_sim.servo.dynamixel_table import MODELS, X_SERIES

EXTENDED = {"Operating_Mode": 4}


def servo(position: float = 1500.0, model: str = "xl330-m288", **values: int) -> DynamixelServo:
    return DynamixelServo("joint", model, {"ID": 1, **values}, Drive(position=position, goal=position))


def read(one: DynamixelServo, name: str) -> int:
    row = X_SERIES[name]
    return row.decode(one.read(row.address, row.size))


def write(one: DynamixelServo, name: str, value: int) -> int:
    row = X_SERIES[name]
    error = one.refusal(row.address, row.encode(value))
    one.write(row.address, row.encode(value))
    return error


def run(one: DynamixelServo, seconds: float = 2.0) -> None:
    FreePlant([one.drive]).advance(seconds)


def test_position_is_what_the_shaft_counts_plus_the_offset() -> None:
    one = servo(3500.0, **EXTENDED)
    assert read(one, "Present_Position") == 3500
    write(one, "Homing_Offset", 2047 - 3500)
    assert read(one, "Present_Position") == 2047


def test_reverse_counts_the_other_way_and_leaves_the_offset_as_it_is() -> None:
    one = servo(1000.0, **EXTENDED)
    write(one, "Drive_Mode", 1)
    before = read(one, "Present_Position")
    one.drive.position += 100
    assert read(one, "Present_Position") == before - 100
    write(one, "Homing_Offset", 50)
    assert read(one, "Present_Position") == before - 50


def test_extended_mode_counts_through_full_turns_until_power_goes() -> None:
    one = servo(4000.0, **EXTENDED)
    one.drive.position = 4200.0
    assert read(one, "Present_Position") == 4200
    one.restart()
    assert read(one, "Present_Position") == 4200 - 4096


@pytest.mark.parametrize("event", ["mode", "torque"])
def test_position_mode_forgets_full_turns(event: str) -> None:
    one = servo(4200.0, Operating_Mode=4 if event == "mode" else 3)
    one.drive.position = 8300.0
    write(one, *(("Operating_Mode", 3) if event == "mode" else ("Torque_Enable", 1)))
    assert read(one, "Present_Position") == 8300 - 8192


def test_position_mode_ignores_an_offset_beyond_a_quarter_turn() -> None:
    one = servo(2000.0)
    write(one, "Homing_Offset", 1024)
    assert read(one, "Present_Position") == 3024
    write(one, "Homing_Offset", 1025)
    assert read(one, "Present_Position") == 2000


def test_torque_on_holds_and_a_goal_moves() -> None:
    one = servo(3000.0, **EXTENDED, Homing_Offset=-1000)
    write(one, "Goal_Position", 0)
    write(one, "Torque_Enable", 1)
    run(one)
    assert read(one, "Present_Position") == 2000
    write(one, "Goal_Position", 2500)
    run(one)
    assert (read(one, "Present_Position"), one.drive.position) == (2500, 3500.0)


def test_a_reversed_servo_goes_where_it_is_told() -> None:
    one = servo(3000.0, **EXTENDED, Drive_Mode=1)
    write(one, "Torque_Enable", 1)
    goal = read(one, "Present_Position") + 300
    write(one, "Goal_Position", goal)
    run(one)
    assert (read(one, "Present_Position"), one.drive.position) == (goal, 2700.0)


def test_what_is_stored_cannot_be_changed_under_torque() -> None:
    one = servo()
    write(one, "Torque_Enable", 1)
    assert write(one, "Operating_Mode", 4) == ACCESS
    assert one.memory["Operating_Mode"] == 3
    write(one, "Torque_Enable", 0)
    assert write(one, "Operating_Mode", 4) == 0


def test_a_servo_without_current_sensing_has_no_current_modes() -> None:
    assert write(servo(model="xl430-w250"), "Operating_Mode", 5) == RANGE
    assert write(servo(model="xl330-m288"), "Operating_Mode", 5) == 0


def test_current_position_mode_limits_effort() -> None:
    one = servo(Operating_Mode=5)
    write(one, "Goal_Current", MODELS["xl330-m288"].stall // 10)
    assert one.drive.limit == pytest.approx(0.1)


def test_profile_velocity_limits_speed() -> None:
    one = servo()
    assert one.drive.speed == float("inf")
    write(one, "Profile_Velocity", 100)
    assert one.drive.speed == pytest.approx(22.9 / 60 * 4096)


def test_overload_switches_torque_off_until_power_goes() -> None:
    one = servo()
    write(one, "Torque_Enable", 1)
    one.drive.effort = 1.0
    for _ in range(6):
        one.tick(0.2)
    assert read(one, "Hardware_Error_Status") == 32
    assert not one.drive.torque
    assert write(one, "Torque_Enable", 1) == ACCESS
    one.restart()
    assert read(one, "Hardware_Error_Status") == 0
    assert write(one, "Torque_Enable", 1) == 0


def test_a_wrong_supply_is_an_error_while_it_lasts() -> None:
    one = servo()
    one.supply(8.0)
    assert read(one, "Hardware_Error_Status") == 1
    one.supply(5.0)
    assert read(one, "Hardware_Error_Status") == 0
