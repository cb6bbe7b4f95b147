"""What an STS3215's registers do, shaft included."""

from __future__ import annotations

import pytest
from lerobot_sim.servo.drive import FreePlant
from lerobot_sim.servo.feetech_servo import FeetechServo
from lerobot_sim.servo.feetech_table import STS


@pytest.fixture
def servo() -> FeetechServo:
    made = FeetechServo("elbow_flex", "sts3215", {"ID": 3})
    made.drive.position = 1500.0
    return made


def put(servo: FeetechServo, name: str, value: int) -> None:
    row = STS[name]
    servo.write(row.address, row.encode(value))


def get(servo: FeetechServo, name: str) -> int:
    row = STS[name]
    return row.decode(servo.read(row.address, row.size))


def run(servo: FeetechServo, seconds: float = 3.0) -> None:
    FreePlant([servo.drive]).advance(seconds)


def test_stored_registers_want_the_lock_open(servo: FeetechServo) -> None:
    put(servo, "Homing_Offset", 100)
    assert get(servo, "Homing_Offset") == 0
    put(servo, "Lock", 0)
    put(servo, "Homing_Offset", -100)
    assert get(servo, "Homing_Offset") == -100


def test_measured_registers_cannot_be_written(servo: FeetechServo) -> None:
    put(servo, "Present_Position", 4)
    assert get(servo, "Present_Position") == 1500


@pytest.mark.parametrize(("offset", "present"), [(0, 1500), (-547, 2047), (1600, 3996)])
def test_present_position_is_the_encoder_less_the_homing_offset(servo: FeetechServo, offset: int, present: int) -> None:
    put(servo, "Lock", 0)
    put(servo, "Homing_Offset", offset)
    assert get(servo, "Present_Position") == present


def test_half_turn_homing_ends_at_2047(servo: FeetechServo) -> None:
    put(servo, "Lock", 0)
    put(servo, "Homing_Offset", get(servo, "Present_Position") - 2047)
    assert get(servo, "Present_Position") == 2047


def test_phase_bit_4_lets_positions_run_below_zero(servo: FeetechServo) -> None:
    put(servo, "Lock", 0)
    put(servo, "Homing_Offset", 1600)
    put(servo, "Phase", 12 | 0x10)
    assert get(servo, "Present_Position") == -100


def test_without_torque_nothing_moves(servo: FeetechServo) -> None:
    put(servo, "Goal_Position", 2500)
    run(servo)
    assert get(servo, "Present_Position") == 1500


def test_torque_holds_where_it_is_and_then_follows_goals(servo: FeetechServo) -> None:
    put(servo, "Goal_Position", 2500)
    put(servo, "Torque_Enable", 1)
    run(servo)
    assert get(servo, "Present_Position") == get(servo, "Goal_Position") == 1500
    put(servo, "Goal_Position", 2500)
    run(servo)
    assert get(servo, "Present_Position") == 2500


def test_goals_count_from_the_homing_offset(servo: FeetechServo) -> None:
    put(servo, "Lock", 0)
    put(servo, "Homing_Offset", -547)
    put(servo, "Torque_Enable", 1)
    put(servo, "Goal_Position", 2147)
    run(servo)
    assert servo.drive.position == 1600


def test_goals_are_clipped_to_the_position_limits(servo: FeetechServo) -> None:
    put(servo, "Lock", 0)
    put(servo, "Min_Position_Limit", 1400)
    put(servo, "Max_Position_Limit", 1700)
    put(servo, "Torque_Enable", 1)
    put(servo, "Goal_Position", 3000)
    run(servo)
    assert get(servo, "Present_Position") == 1700
    assert get(servo, "Goal_Position") == 3000


def test_goal_velocity_is_a_speed_limit(servo: FeetechServo) -> None:
    put(servo, "Torque_Enable", 1)
    put(servo, "Goal_Velocity", 100)
    put(servo, "Goal_Position", 3000)
    run(servo, 1.0)
    assert get(servo, "Present_Position") == 1600
    assert (get(servo, "Present_Velocity"), get(servo, "Moving")) == (100, 1)


def test_velocity_mode_turns_until_told_otherwise(servo: FeetechServo) -> None:
    put(servo, "Lock", 0)
    put(servo, "Operating_Mode", 1)
    put(servo, "Torque_Enable", 1)
    put(servo, "Goal_Velocity", -200)
    run(servo, 1.0)
    assert servo.drive.position == 1300
    put(servo, "Goal_Velocity", 0)
    run(servo, 1.0)
    assert servo.drive.position == 1300


def test_load_current_and_voltage_follow_the_effort(servo: FeetechServo) -> None:
    servo.drive.effort = -0.5
    assert get(servo, "Present_Load") == -500
    assert servo.read(STS["Present_Load"].address, 2) == bytes([500 & 0xFF, 500 >> 8 | 4])
    assert get(servo, "Present_Current") == round(1.2 / 0.0065)
    assert get(servo, "Present_Voltage") == 72


def test_overload_trips_after_the_protection_time_and_a_goal_the_other_way_ends_it(servo: FeetechServo) -> None:
    put(servo, "Torque_Enable", 1)
    servo.drive.effort = 0.9
    servo.tick(1.9)
    assert servo.error == 0
    servo.tick(0.2)
    assert servo.error == get(servo, "Status") == 32
    assert servo.drive.limit == 0.2
    put(servo, "Goal_Position", 1600)
    assert servo.error == 32
    put(servo, "Goal_Position", 1400)
    assert (servo.error, servo.drive.limit) == (0, 1.0)


def test_a_stalled_motor_warms_up_and_says_so(servo: FeetechServo) -> None:
    servo.drive.effort = 1.0
    for _ in range(600):
        servo.tick(1.0)
    assert get(servo, "Present_Temperature") == 75
    assert servo.error & 4


@pytest.mark.parametrize("volts", [5.0, 3.9, 8.3])
def test_voltage_outside_the_limits_is_an_error_until_it_is_back(servo: FeetechServo, volts: float) -> None:
    put(servo, "Lock", 0)
    put(servo, "Min_Voltage_Limit", 55)
    servo.supply(volts)
    assert servo.error == 1
    servo.supply(7.4)
    assert servo.error == 0


def test_a_brown_out_forgets_torque_and_what_is_not_stored(servo: FeetechServo) -> None:
    put(servo, "Lock", 0)
    put(servo, "Homing_Offset", 77)
    put(servo, "Max_Torque_Limit", 500)
    put(servo, "Acceleration", 9)
    put(servo, "Torque_Enable", 1)
    servo.supply(3.0)
    assert not servo.answers
    assert not servo.drive.torque
    servo.supply(7.4)
    assert servo.answers
    names = ("Torque_Enable", "Lock", "Acceleration", "Homing_Offset", "Torque_Limit")
    assert [get(servo, name) for name in names] == [0, 1, 0, 77, 500]


def test_what_lies_between_registers_reads_as_zero(servo: FeetechServo) -> None:
    assert servo.read(51, 4) == bytes(4)
    assert servo.read(250, 20) == bytes(20)
