"""The vendor's SDK over pyserial, unchanged, against the pseudo-terminal; and what a broken line looks like to it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import scservo_sdk as scs
from lerobot_sim.servo.feetech import FeetechDevice
from lerobot_sim.servo.feetech_servo import FeetechServo
from lerobot_sim.servo.line import BITS_A_BYTE, Fault
from servo_bench import Bench, PatientPort, bench

IDS = range(1, 7)
GOAL, PRESENT = 42, 56


@pytest.fixture
def arm() -> Iterator[Bench]:
    servos = [FeetechServo(f"m{i}", "sts3215", {"ID": i, "Return_Delay_Time": 0}) for i in IDS]
    for servo in servos:
        servo.drive.position = 1000.0 + servo.id
    with bench(servos, FeetechDevice(servos)) as made:
        yield made


@pytest.fixture
def port(arm: Bench) -> Iterator[Any]:
    handler = PatientPort(arm.path)
    assert handler.openPort()
    assert handler.setBaudRate(1_000_000)
    yield handler
    handler.closePort()


@pytest.fixture
def packets() -> Any:
    return scs.PacketHandler(0)


def positions(port: Any, packets: Any) -> tuple[int, list[int]]:
    group = scs.GroupSyncRead(port, packets, PRESENT, 2)
    for motor in IDS:
        group.addParam(motor)
    result = group.txRxPacket()
    return result, [group.getData(motor, PRESENT, 2) for motor in IDS] if result == scs.COMM_SUCCESS else []


def test_ping_tells_the_model(port: Any, packets: Any) -> None:
    assert packets.ping(port, 4) == (777, scs.COMM_SUCCESS, 0)
    assert packets.ping(port, 9)[1] == scs.COMM_RX_TIMEOUT


def test_six_motors_are_read_and_moved_together(arm: Bench, port: Any, packets: Any) -> None:
    assert positions(port, packets) == (scs.COMM_SUCCESS, [1001, 1002, 1003, 1004, 1005, 1006])
    group = scs.GroupSyncWrite(port, packets, GOAL, 2)
    for motor in IDS:
        assert packets.write1ByteTxRx(port, motor, 40, 1) == (scs.COMM_SUCCESS, 0)
        group.addParam(motor, [scs.SCS_LOBYTE(2000 + motor), scs.SCS_HIBYTE(2000 + motor)])
    assert group.txPacket() == scs.COMM_SUCCESS
    # The goal is read back to know that it has arrived.
    assert packets.read2ByteTxRx(port, 6, GOAL)[0] == 2006
    arm.settle()
    assert positions(port, packets) == (scs.COMM_SUCCESS, [2001, 2002, 2003, 2004, 2005, 2006])


def test_staged_writes_take_effect_together(port: Any, packets: Any) -> None:
    assert packets.regWriteTxRx(port, 2, 41, 1, [33]) == (scs.COMM_SUCCESS, 0)
    assert packets.read1ByteTxRx(port, 2, 41)[0] == 0
    packets.action(port, scs.BROADCAST_ID)
    assert packets.read1ByteTxRx(port, 2, 41)[0] == 33


@pytest.mark.parametrize(("baud", "code"), [(128_000, 3), (115_200, 4), (500_000, 1)])
def test_a_motor_is_found_at_the_baud_rate_it_is_set_to(
    arm: Bench, port: Any, packets: Any, baud: int, code: int
) -> None:
    arm.servos["m5"].memory["Baud_Rate"] = code
    port.setBaudRate(baud)
    assert packets.ping(port, 5) == (777, scs.COMM_SUCCESS, 0)
    assert packets.ping(port, 4)[1] == scs.COMM_RX_TIMEOUT


def test_time_on_the_wire_is_charged(arm: Bench, port: Any, packets: Any) -> None:
    before = arm.line.wire_s
    packets.readTxRx(port, 1, PRESENT, 2)
    assert arm.line.wire_s - before == pytest.approx((8 + 8) * BITS_A_BYTE / 1_000_000)
    arm.servos["m1"].memory["Return_Delay_Time"] = 250
    before = arm.line.wire_s
    packets.readTxRx(port, 1, PRESENT, 2)
    assert arm.line.wire_s - before == pytest.approx((8 + 8) * BITS_A_BYTE / 1_000_000 + 500e-6)


def test_a_lost_answer_is_a_timeout_and_the_next_one_is_whole(arm: Bench, port: Any, packets: Any) -> None:
    arm.faults.append(Fault("lost", 1, "m3"))
    assert positions(port, packets)[0] == scs.COMM_RX_TIMEOUT
    assert positions(port, packets)[0] == scs.COMM_SUCCESS


def test_a_corrupt_answer_is_recognised(arm: Bench, port: Any, packets: Any) -> None:
    arm.faults.append(Fault("corrupt", 1))
    assert packets.read2ByteTxRx(port, 2, PRESENT)[1] == scs.COMM_RX_CORRUPT
    assert packets.read2ByteTxRx(port, 2, PRESENT)[:2] == (1002, scs.COMM_SUCCESS)


def test_a_late_answer_misses_its_request(arm: Bench, port: Any, packets: Any) -> None:
    arm.faults.append(Fault("late", 1, "m2", 0.4))
    assert packets.read2ByteTxRx(port, 2, PRESENT)[1] == scs.COMM_RX_TIMEOUT


def test_a_motor_that_is_gone_is_silent(arm: Bench, port: Any, packets: Any) -> None:
    arm.servos["m4"].gone = True
    assert packets.ping(port, 4)[1] == scs.COMM_RX_TIMEOUT
    assert positions(port, packets)[0] == scs.COMM_RX_TIMEOUT


def test_an_overloaded_motor_says_so_in_every_answer(arm: Bench, port: Any, packets: Any) -> None:
    arm.servos["m6"].drive.effort = 0.9
    arm.servos["m6"].trip()
    value, result, error = packets.read2ByteTxRx(port, 6, PRESENT)
    assert (value, result, error) == (1006, scs.COMM_SUCCESS, 32)
