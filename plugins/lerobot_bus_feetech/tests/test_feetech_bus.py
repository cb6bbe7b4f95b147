"""The bus against servos on a pseudo-terminal: frames byte for byte, retries, and every failure by name."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lerobot_bus_feetech.bus import FeetechBus
from lerobot_bus_feetech.config import FeetechConfig
from lerobot_bus_feetech.table import STS, in_words
from lerobot_core.clock import RealClock
from lerobot_core.contracts.bus import Motor
from lerobot_core.errors import BusError
from servo_line import Servo, ServoLine, packet

MOTORS = {name: Motor(id, "sts3215", "degrees") for id, name in enumerate(("pan", "lift", "elbow"), 1)}
LOG = logging.getLogger("test.feetech")


@pytest.fixture
def bus(monkeypatch: pytest.MonkeyPatch) -> Iterator[FeetechBus]:
    """With more patience than a robot has: the machine that runs this may be busy."""
    monkeypatch.setattr("lerobot_bus_feetech.bus.BRISK_S", 0.05)
    bus = FeetechBus(FeetechConfig(budget_ms=1000.0), LOG)
    yield bus
    bus.close()


@pytest.fixture
def opened(bus: FeetechBus, line: ServoLine) -> FeetechBus:
    bus.open(line.path, MOTORS, RealClock())
    line.requests.clear()
    return bus


def lose(line: ServoLine, id: int, times: int) -> None:
    left = [times]

    def spoil(servo: Servo, answer: bytes) -> bytes:
        if servo.id == id and left[0] > 0:
            left[0] -= 1
            return b""
        return answer

    line.spoil = spoil


def garble(line: ServoLine, id: int) -> None:
    line.spoil = lambda servo, answer: answer[:-1] + bytes([answer[-1] ^ 1]) if servo.id == id else answer


# --- frames: FF FF id length instruction parameters ~sum ------------------------------------------------------------


def test_a_sync_read_is_one_frame_for_all_motors(opened: FeetechBus, line: ServoLine) -> None:
    assert opened.sync_read("Present_Position") == {"pan": 2064, "lift": 2080, "elbow": 2096}
    assert line.requests == [bytes.fromhex("ff ff fe 07 82 38 02 01 02 03 38")]


def test_a_sync_write_is_one_frame_that_nobody_answers(opened: FeetechBus, line: ServoLine) -> None:
    opened.sync_write("Goal_Position", {"pan": 2048, "elbow": 1000})
    opened.read("Goal_Position", "pan")
    assert line.requests[0] == bytes.fromhex("ff ff fe 0a 83 2a 02 01 00 08 03 e8 03 51")
    assert (line.servos[0].word(42), line.servos[2].word(42)) == (2048, 1000)


def test_read_write_and_ping_frames(opened: FeetechBus, line: ServoLine) -> None:
    opened.write("Torque_Enable", "lift", 1)
    assert opened.read("Present_Position", "lift") == 2080
    assert opened.ping("lift") == 777
    assert line.requests == [
        bytes.fromhex("ff ff 02 04 03 28 01 cd"),
        bytes.fromhex("ff ff 02 04 02 38 02 bd"),
        bytes.fromhex("ff ff 02 04 02 03 02 f2"),
    ]


def test_what_is_kept_without_power_is_unlocked_for_its_write_only(opened: FeetechBus, line: ServoLine) -> None:
    opened.write("P_Coefficient", "pan", 16, eeprom=True)
    assert line.servos[0].memory[21] == 16
    assert [request[5:7] for request in line.requests] == [bytes([55, 0]), bytes([21, 16]), bytes([55, 1])]


def test_offsets_are_sign_and_magnitude(opened: FeetechBus, line: ServoLine) -> None:
    opened.write("Homing_Offset", "pan", -1470, eeprom=True)
    assert line.servos[0].word(31) == 1470 | 1 << 11
    assert opened.read("Homing_Offset", "pan") == -1470


@given(st.sampled_from(sorted(STS)), st.integers(-40_000, 70_000))
def test_a_register_gives_back_what_it_can_hold_and_refuses_the_rest(name: str, value: int) -> None:
    register = STS[name]
    try:
        data = register.encode(value)
    except ValueError:
        assert value > register.most or value < (0 if register.sign is None else -register.most)
    else:
        assert len(data) == register.size
        assert register.decode(data) == value


def test_registers_do_not_overlap() -> None:
    taken = [address for row in STS.values() for address in range(row.address, row.address + row.size)]
    assert len(taken) == len(set(taken))


# --- lost, late and garbled answers -----------------------------------------------------------------------------------


def test_a_lost_answer_costs_a_retry_to_that_motor_only(opened: FeetechBus, line: ServoLine) -> None:
    lose(line, 2, 1)
    assert opened.sync_read("Present_Position") == {"pan": 2064, "lift": 2080, "elbow": 2096}
    assert [request[7:-1] for request in line.requests] == [bytes([1, 2, 3]), bytes([2])]
    assert [opened.health(name).lost for name in MOTORS] == [0, 1, 0]


def test_a_garbled_answer_is_asked_for_again(opened: FeetechBus, line: ServoLine) -> None:
    seen: list[bytes] = []

    def spoil(servo: Servo, answer: bytes) -> bytes:
        seen.append(answer)
        return answer[:-1] + b"\x00" if len(seen) == 3 else answer

    line.spoil = spoil
    assert opened.sync_read("Present_Position")["elbow"] == 2096


def test_persistent_silence_names_the_motor_and_counts(opened: FeetechBus, line: ServoLine) -> None:
    lose(line, 2, 1000)
    counts = []
    for _ in range(3):
        with pytest.raises(BusError, match=r"motor 'lift' \(id 2\) does not answer") as caught:
            opened.sync_read("Present_Position")
        counts.append(caught.value.count)
        assert caught.value.motor == "lift"
    assert counts == [1, 2, 3]
    line.spoil = lambda servo, answer: answer
    opened.sync_read("Present_Position")
    lose(line, 2, 1000)
    with pytest.raises(BusError) as caught:
        opened.sync_read("Present_Position")
    assert caught.value.count == 1


def test_retries_stay_within_a_third_of_a_period(line: ServoLine) -> None:
    bus = FeetechBus(FeetechConfig(retries=20), LOG)
    bus.open(line.path, MOTORS, RealClock())
    line.requests.clear()
    lose(line, 3, 1000)
    with pytest.raises(BusError):
        bus.sync_read("Present_Position")
    bus.close()
    assert len(line.requests) <= 2  # the line may be closed before the last one was read from it


def test_a_write_whose_confirmation_is_lost_is_looked_at(opened: FeetechBus, line: ServoLine) -> None:
    line.servos[0].confirms = False
    opened.write("Torque_Enable", "pan", 1)
    assert line.servos[0].memory[40] == 1


def test_a_write_that_is_never_confirmed_is_an_error(opened: FeetechBus, line: ServoLine) -> None:
    lose(line, 1, 1000)
    with pytest.raises(BusError, match="motor 'pan'"):
        opened.write("Torque_Enable", "pan", 1)


def test_an_answer_from_an_earlier_request_is_not_taken_for_this_ones(opened: FeetechBus, line: ServoLine) -> None:
    late = packet(1, 0, b"\x11\x11")
    line.spoil = lambda servo, answer: answer + (late if servo.id == 1 else b"")
    opened.read("Present_Position", "pan")
    line.spoil = lambda servo, answer: answer
    assert opened.read("Present_Position", "pan") == 2064


def test_a_late_answer_is_never_taken_for_that_of_another_register(
    opened: FeetechBus, line: ServoLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two requests for positions, the first answered too late: its answer serves the second, whose own is still to come."""
    monkeypatch.setattr("lerobot_bus_feetech.bus.BRISK_S", 0.01)
    line.servos[0].memory[58:60] = (77).to_bytes(2, "little")
    line.late_s = 0.015
    assert opened.sync_read("Present_Position", ["pan"]) == {"pan": 2064}
    line.late_s = 0.0
    assert opened.sync_read("Present_Velocity", ["pan"]) == {"pan": 77}


def test_a_port_that_vanishes_is_no_motors_fault(opened: FeetechBus, line: ServoLine) -> None:
    line.pull_the_plug()
    with pytest.raises(BusError, match="is gone") as caught:
        opened.sync_read("Present_Position")
    assert caught.value.motor is None
    with pytest.raises(BusError, match="is gone"):
        opened.sync_write("Goal_Position", {"pan": 1})


# --- what motors complain of -----------------------------------------------------------------------------------------


def test_error_bits_become_words_once(opened: FeetechBus, line: ServoLine, caplog: pytest.LogCaptureFixture) -> None:
    line.servos[1].error = 1 | 32
    for _ in range(3):
        opened.sync_read("Present_Position")
    assert opened.complaints == {"lift": ("voltage", "overload")}
    assert [r.message for r in caplog.records] == ["motor 'lift' (id 2) reports voltage, overload"]
    line.servos[1].error = 0
    opened.sync_read("Present_Position")
    assert opened.complaints == {}


def test_every_bit_has_a_word() -> None:
    assert in_words(0b00101111) == ("voltage", "sensor", "overheating", "over-current", "overload")
    assert in_words(0x10) == ("error bit 4",)


def test_health_reads_model_firmware_voltage_and_temperature(opened: FeetechBus) -> None:
    found = opened.health("elbow")
    assert (found.id, found.model, found.firmware) == (3, "sts3215", "3.10")
    assert (found.voltage, found.temperature, found.errors) == (7.4, 30.0, ())


# --- opening -----------------------------------------------------------------------------------------------------------


def failure(bus: FeetechBus, port: str) -> BusError:
    with pytest.raises(BusError) as caught:
        bus.open(port, MOTORS, RealClock())
    assert not bus.is_open
    return caught.value


def test_a_port_that_is_not_there_lists_those_that_are(bus: FeetechBus) -> None:
    error = failure(bus, "/dev/no_such_port")
    assert "there is no port /dev/no_such_port" in error.what
    assert "serial ports here" in error.why


def test_a_file_is_no_port(bus: FeetechBus) -> None:
    assert "is not a serial port" in failure(bus, __file__).what


def test_a_port_in_use_says_by_whom(bus: FeetechBus, opened: FeetechBus, line: ServoLine) -> None:
    other = FeetechBus(FeetechConfig(), LOG)
    error = failure(other, line.path)
    assert "is in use" in error.what
    assert "two of its devices were given this port" in error.why


def test_a_motor_that_is_missing_is_named_with_those_that_answer(bus: FeetechBus, line: ServoLine) -> None:
    del line.servos[1]
    error = failure(bus, line.path)
    assert "motor 'lift' (id 2) not found" in error.what
    assert "1, 3" in error.why


def test_an_arm_without_power_is_told_from_one_with_a_missing_motor(bus: FeetechBus, line: ServoLine) -> None:
    line.servos.clear()
    error = failure(bus, line.path)
    assert "no motor answers" in error.what
    assert "power" in error.why


def test_two_motors_with_one_id_are_told_from_one_that_is_missing(bus: FeetechBus, line: ServoLine) -> None:
    line.servos[2].id = line.servos[2].memory[5] = 2
    error = failure(bus, line.path)
    assert "motor 'lift' (id 2)" in error.what
    assert "garbled" in error.what
    assert "motor 'elbow' (id 3)" in error.why


def test_a_motor_of_another_model_is_named(bus: FeetechBus, line: ServoLine) -> None:
    line.servos[0].memory[3:5] = (2825).to_bytes(2, "little")
    error = failure(bus, line.path)
    assert "'pan' (id 1) is a sts3250" in error.what
    assert "sts3215" in error.why


def test_different_firmware_is_a_warning(bus: FeetechBus, line: ServoLine, caplog: pytest.LogCaptureFixture) -> None:
    line.servos[0].memory[1] = 9
    bus.open(line.path, MOTORS, RealClock())
    assert "different firmware (3.10: lift, elbow; 3.9: pan)" in caplog.text


def test_opening_only_reads(bus: FeetechBus, line: ServoLine) -> None:
    before = [bytes(servo.memory) for servo in line.servos]
    bus.open(line.path, MOTORS, RealClock())
    bus.sync_read("Present_Position")
    assert {request[4] for request in line.requests} <= {1, 2, 0x82}
    assert [bytes(servo.memory) for servo in line.servos] == before


# --- new motors ----------------------------------------------------------------------------------------------------------


def test_a_new_motor_is_found_and_given_its_id(bus: FeetechBus) -> None:
    line = ServoLine(Servo(1))
    try:
        (found,) = bus.scan(line.path, RealClock())
        assert (found.id, found.model, found.baud) == (1, "sts3215", 1_000_000)
        bus.assign(line.path, found, 6, RealClock())
        assert line.servos[0].memory[5] == 6
        assert line.servos[0].memory[55] == 1
        assert [motor.id for motor in bus.scan(line.path, RealClock())] == [6]
    finally:
        line.close()


def test_a_motor_with_another_baud_rate_is_found_and_brought_to_the_customary_one(bus: FeetechBus) -> None:
    line = ServoLine(Servo(1, baud_code=5))
    try:
        (found,) = bus.scan(line.path, RealClock())
        assert found.baud == 57_600
        bus.assign(line.path, found, 2, RealClock())
        assert (line.servos[0].memory[5], line.servos[0].memory[6]) == (2, 0)
    finally:
        line.close()


def test_several_new_motors_at_once_are_refused(bus: FeetechBus) -> None:
    line = ServoLine(Servo(1), Servo(1))
    line.servos[1].memory[56] += 5
    try:
        with pytest.raises(BusError, match="several motors"):
            bus.scan(line.path, RealClock())
    finally:
        line.close()


def test_waiting_costs_no_processor_time(opened: FeetechBus, line: ServoLine) -> None:
    """The SDK's own port would spin."""
    lose(line, 3, 1000)
    threads = threading.active_count()
    before = time.thread_time()
    for _ in range(4):
        with pytest.raises(BusError):
            opened.read("Present_Position", "elbow")
    assert time.thread_time() - before < 0.2  # of 0.8 s of waiting
    assert threading.active_count() == threads


def test_unknown_names_are_told(opened: FeetechBus) -> None:
    with pytest.raises(BusError, match="no register 'Present_Positon'") as caught:
        opened.sync_read("Present_Positon")
    assert "Present_Position" in caught.value.fix
    with pytest.raises(BusError, match="no motor 'wrist'"):
        opened.read("Present_Position", "wrist")
    with pytest.raises(BusError, match=r"outside 0\.\.65535"):
        opened.write("Min_Position_Limit", "pan", -1)
