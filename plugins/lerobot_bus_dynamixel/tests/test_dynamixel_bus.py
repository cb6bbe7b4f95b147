"""The bus against servos on a pseudo-terminal: frames byte for byte, retries, and every failure by name."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Iterator

import pytest
from dynamixel_line import DynamixelLine, Servo, packet
from hypothesis import example, given
from hypothesis import strategies as st
from lerobot_bus_dynamixel.bus import DynamixelBus
from lerobot_bus_dynamixel.config import DynamixelConfig
from lerobot_bus_dynamixel.line import Line
from lerobot_bus_dynamixel.protocol import Protocol
from lerobot_bus_dynamixel.table import X_SERIES, in_words
from lerobot_core.clock import RealClock
from lerobot_core.contracts.bus import Motor
from lerobot_core.errors import BusError

MODELS = {"pan": "xl430-w250", "lift": "xl330-m288", "elbow": "xl330-m288"}
MOTORS = {name: Motor(id, model, "range_m100_100") for id, (name, model) in enumerate(MODELS.items(), 1)}
POSITIONS = {"pan": 2064, "lift": 2080, "elbow": 2096}
LOG = logging.getLogger("test.dynamixel")


@pytest.fixture
def bus() -> Iterator[DynamixelBus]:
    bus = DynamixelBus(DynamixelConfig(), LOG)
    yield bus
    bus.close()


@pytest.fixture
def opened(bus: DynamixelBus, line: DynamixelLine) -> DynamixelBus:
    bus.open(line.path, MOTORS, RealClock())
    line.requests.clear()
    return bus


def lose(line: DynamixelLine, id: int, times: int) -> None:
    left = [times]

    def spoil(servo: Servo, answer: bytes) -> bytes:
        if servo.id == id and left[0] > 0:
            left[0] -= 1
            return b""
        return answer

    line.spoil = spoil


def ids(request: bytes) -> bytes:
    """Whom a sync read asks."""
    return request[12:-2]


# --- frames: FF FF FD 00 id length instruction parameters CRC --------------------------------------------------------


def test_a_sync_read_is_one_frame_for_all_motors(opened: DynamixelBus, line: DynamixelLine) -> None:
    assert opened.sync_read("Present_Position") == POSITIONS
    assert line.requests == [packet(0xFE, 0x82, bytes.fromhex("84 00 04 00 01 02 03"))]


def test_a_sync_write_is_one_frame_that_nobody_answers(opened: DynamixelBus, line: DynamixelLine) -> None:
    opened.sync_write("Goal_Position", {"pan": 2048, "elbow": -1000})
    opened.read("Goal_Position", "pan")
    assert line.requests[0] == packet(0xFE, 0x83, bytes.fromhex("74 00 04 00 01 00 08 00 00 03 18 fc ff ff"))
    assert (line.servos[0].number(116, 4), line.servos[2].number(116, 4)) == (2048, -1000)


def test_the_frames_of_the_vendors_manual(opened: DynamixelBus, line: DynamixelLine) -> None:
    opened.read("Present_Position", "pan")
    opened.write("Goal_Position", "pan", 512)
    assert line.requests == [
        bytes.fromhex("ff ff fd 00 01 07 00 02 84 00 04 00 1d 15"),
        bytes.fromhex("ff ff fd 00 01 09 00 03 74 00 00 02 00 00 ca 89"),
    ]


def test_a_header_inside_a_packet_is_stuffed_though_the_sdk_forgets_it(
    opened: DynamixelBus, line: DynamixelLine
) -> None:
    value = int.from_bytes(bytes.fromhex("ff ff fd 00"), "little")
    opened.write("Goal_Position", "pan", value)
    assert bytes.fromhex("ff ff fd fd 00") in line.requests[0][7:]
    assert opened.read("Goal_Position", "pan") == value
    opened.sync_write("Goal_Position", {"lift": value, "elbow": value})
    assert opened.sync_read("Goal_Position") == dict.fromkeys(MOTORS, value)


HEADERISH = st.lists(st.sampled_from([0xFF, 0xFD, 0x00, 0x55]), min_size=1, max_size=24).map(bytes)


@given(HEADERISH)
@example(bytes.fromhex("ff ff fd ff fd fd"))
@example(bytes.fromhex("ff ff fd ff ff fd fd ff"))
def test_what_is_sent_is_stuffed_and_checked_and_what_comes_is_unstuffed(data: bytes) -> None:
    sent: list[bytes] = []
    waiting = bytearray(packet(7, 0x55, b"\0" + data))

    class Echo(Line):
        def __init__(self) -> None:
            self.patience_s, self.is_using = 0.0, False

        def clearPort(self) -> None: ...

        def setPacketTimeout(self, length: int) -> None: ...

        def isPacketTimeout(self) -> bool:
            return not waiting

        def writePort(self, request: object) -> int:
            sent.append(bytes(request))  # type: ignore[call-overload]
            return len(sent[-1])

        def readPort(self, length: int) -> bytes:
            taken = bytes(waiting[:length])
            del waiting[:length]
            return taken

    protocol = Protocol(Echo())
    protocol.sync_write(100, {7: data})
    assert sent == [packet(0xFE, 0x83, b"\x64\0" + len(data).to_bytes(2, "little") + b"\x07" + data)]
    answer = protocol.read(7, 100, len(data), 0.0)
    assert answer is not None
    assert answer.data == data


@given(st.sampled_from(sorted(X_SERIES)), st.integers(-(2**33), 2**33))
def test_a_register_gives_back_what_it_can_hold_and_refuses_the_rest(name: str, value: int) -> None:
    register = X_SERIES[name]
    bits = 8 * register.size
    fits = -(2 ** (bits - 1)) <= value < 2 ** (bits - 1) if register.signed else 0 <= value < 2**bits
    try:
        data = register.encode(value)
    except ValueError:
        assert not fits
    else:
        assert fits
        assert len(data) == register.size
        assert register.decode(data) == value


def test_registers_do_not_overlap() -> None:
    taken = [address for row in X_SERIES.values() for address in range(row.address, row.address + row.size)]
    assert len(taken) == len(set(taken))


# --- lost, late and garbled answers -----------------------------------------------------------------------------------


def test_a_lost_answer_costs_a_retry_to_that_motor_only(opened: DynamixelBus, line: DynamixelLine) -> None:
    lose(line, 2, 1)
    assert opened.sync_read("Present_Position") == POSITIONS
    assert [ids(request) for request in line.requests] == [bytes([1, 2, 3]), bytes([2])]
    assert [opened.health(name).lost for name in MOTORS] == [0, 1, 0]


def test_a_garbled_answer_is_asked_for_again(opened: DynamixelBus, line: DynamixelLine) -> None:
    seen: list[bytes] = []

    def spoil(servo: Servo, answer: bytes) -> bytes:
        seen.append(answer)
        return answer[:-1] + bytes([answer[-1] ^ 1]) if len(seen) == 3 else answer

    line.spoil = spoil
    assert opened.sync_read("Present_Position") == POSITIONS


def test_noise_that_looks_like_a_longer_packet_costs_a_retry_at_most(opened: DynamixelBus, line: DynamixelLine) -> None:
    noise = bytes.fromhex("ff ff fd 00 01 28 00 55")
    left = [noise]
    line.spoil = lambda servo, answer: (left.pop() if left else b"") + answer
    assert opened.sync_read("Present_Position") == POSITIONS


def test_a_line_of_noise_is_told_from_silence(opened: DynamixelBus, line: DynamixelLine) -> None:
    line.spoil = lambda servo, answer: answer[:-1] + bytes([answer[-1] ^ 1])
    with pytest.raises(BusError, match=r"motor 'pan' \(id 1\) cannot be understood"):
        opened.read("Present_Position", "pan")


def test_persistent_silence_names_the_motor_and_counts(opened: DynamixelBus, line: DynamixelLine) -> None:
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


def test_retries_end_with_the_budget(opened: DynamixelBus, line: DynamixelLine) -> None:
    patient = DynamixelBus(DynamixelConfig(retries=20), LOG)
    opened.close()
    patient.open(line.path, MOTORS, RealClock())
    lose(line, 3, 1000)
    line.requests.clear()
    with pytest.raises(BusError):
        patient.sync_read("Present_Position")
    # The first retry is always made; a machine that was busy meanwhile makes fewer of the others.
    assert 2 <= len(line.requests) <= 3
    patient.close()


def test_a_write_whose_confirmation_is_lost_is_looked_at(opened: DynamixelBus, line: DynamixelLine) -> None:
    line.servos[0].confirms = False
    opened.write("Torque_Enable", "pan", 1)
    assert line.servos[0].memory[64] == 1


def test_a_write_that_is_never_confirmed_is_an_error(opened: DynamixelBus, line: DynamixelLine) -> None:
    lose(line, 1, 1000)
    with pytest.raises(BusError, match="motor 'pan'"):
        opened.write("Torque_Enable", "pan", 1)


def test_an_answer_from_an_earlier_request_is_not_taken_for_this_ones(
    opened: DynamixelBus, line: DynamixelLine
) -> None:
    late = packet(1, 0x55, b"\0\x11\x11\0\0")
    line.spoil = lambda servo, answer: answer + (late if servo.id == 1 else b"")
    opened.read("Present_Position", "pan")
    line.spoil = lambda servo, answer: answer
    assert opened.read("Present_Position", "pan") == 2064


def test_an_answer_that_was_given_up_is_not_taken_for_another_registers(
    opened: DynamixelBus, line: DynamixelLine
) -> None:
    came = threading.Event()
    late: list[threading.Timer] = []

    def deliver(answer: bytes) -> None:
        line.say(answer)
        came.set()

    def spoil(servo: Servo, answer: bytes) -> bytes:
        if late or servo.id != 3:
            return answer
        late.append(threading.Timer(0.12, deliver, [answer]))
        late[0].start()
        return b""

    line.spoil = spoil
    assert opened.sync_read("Present_Position") == POSITIONS  # at the second try, with the first answer under way
    assert opened.sync_read("Homing_Offset") == dict.fromkeys(MOTORS, 0)
    assert came.is_set()


def test_a_port_that_vanishes_is_no_motors_fault(opened: DynamixelBus, line: DynamixelLine) -> None:
    line.close()
    with pytest.raises(BusError, match="is gone") as caught:
        opened.sync_read("Present_Position")
    assert caught.value.motor is None
    with pytest.raises(BusError, match="is gone"):
        opened.sync_write("Goal_Position", {"pan": 1})


def test_waiting_costs_no_processor_time(opened: DynamixelBus, line: DynamixelLine) -> None:
    """The SDK's own port would spin."""
    lose(line, 3, 1000)
    before = time.thread_time()
    for _ in range(4):
        with pytest.raises(BusError):
            opened.read("Present_Position", "elbow")
    assert time.thread_time() - before < 0.2  # of 0.8 s of waiting


# --- what motors complain of -----------------------------------------------------------------------------------------


def test_a_hardware_error_becomes_words_once(
    opened: DynamixelBus, line: DynamixelLine, caplog: pytest.LogCaptureFixture
) -> None:
    line.servos[1].memory[70] = 1 | 32
    for _ in range(3):
        assert opened.sync_read("Present_Position") == POSITIONS
    assert opened.complaints == {"lift": ("voltage", "overload")}
    assert [r.message for r in caplog.records] == ["motor 'lift' (id 2) reports voltage, overload"]
    line.servos[1].memory[70] = 0
    opened.sync_read("Present_Position")
    assert opened.complaints == {}


def test_a_hardware_error_is_told_at_open(
    bus: DynamixelBus, line: DynamixelLine, caplog: pytest.LogCaptureFixture
) -> None:
    line.servos[2].memory[70] = 4
    bus.open(line.path, MOTORS, RealClock())
    assert bus.complaints == {"elbow": ("overheating",)}
    assert "motor 'elbow' (id 3) reports overheating" in caplog.text


def test_every_bit_has_a_word() -> None:
    assert in_words(0b00111101) == ("voltage", "overheating", "encoder", "electrical shock", "overload")
    assert in_words(0x02) == ("error bit 1",)


def test_a_refusal_says_why(opened: DynamixelBus, line: DynamixelLine) -> None:
    line.servos[0].refuses = 7
    with pytest.raises(BusError, match=r"motor 'pan' \(id 1\) refuses: Operating_Mode = 4") as caught:
        opened.write("Operating_Mode", "pan", 4, eeprom=True)
    assert "locked while torque is on" in caught.value.why
    assert caught.value.motor == "pan"


def test_a_refusal_after_a_shutdown_says_what_the_motor_suffers_from(opened: DynamixelBus, line: DynamixelLine) -> None:
    line.servos[1].refuses, line.servos[1].memory[70] = 7, 32
    with pytest.raises(BusError, match="refuses: Torque_Enable = 1") as caught:
        opened.write("Torque_Enable", "lift", 1)
    assert caught.value.why == "it reports overload"
    assert "power off and on" in caught.value.fix


def test_a_request_that_arrives_garbled_is_sent_again(opened: DynamixelBus, line: DynamixelLine) -> None:
    line.servos[0].refuses = 3
    asked: list[int] = []

    def spoil(servo: Servo, answer: bytes) -> bytes:
        asked.append(servo.id)
        servo.refuses = 0 if len(asked) == 2 else servo.refuses
        return answer

    line.spoil = spoil
    opened.write("LED", "pan", 1)
    assert line.servos[0].memory[65] == 1


def test_health_reads_model_firmware_voltage_and_temperature(opened: DynamixelBus, line: DynamixelLine) -> None:
    found = opened.health("elbow")
    assert (found.id, found.model, found.firmware) == (3, "xl330-m288", "50")
    assert (found.voltage, found.temperature, found.errors) == (5.0, 30.0, ())
    line.servos[2].memory[70] = 4
    assert opened.health("elbow").errors == ("overheating",)


# --- opening -----------------------------------------------------------------------------------------------------------


def failure(bus: DynamixelBus, port: str) -> BusError:
    with pytest.raises(BusError) as caught:
        bus.open(port, MOTORS, RealClock())
    assert not bus.is_open
    return caught.value


def test_a_port_that_is_not_there_lists_those_that_are(bus: DynamixelBus) -> None:
    error = failure(bus, "/dev/no_such_port")
    assert "there is no port /dev/no_such_port" in error.what
    assert "serial ports here" in error.why


def test_a_file_is_no_port(bus: DynamixelBus) -> None:
    assert "is not a serial port" in failure(bus, __file__).what


def test_a_port_without_permission_says_whose_it_is(bus: DynamixelBus, monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(path: str, flags: int) -> int:
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr(os, "open", forbidden)
    error = failure(bus, "/dev/ttyUSB0")
    assert "no permission to open /dev/ttyUSB0" in error.what
    assert "usermod" in error.fix


def test_a_port_in_use_says_by_whom(opened: DynamixelBus, line: DynamixelLine) -> None:
    other = DynamixelBus(DynamixelConfig(), LOG)
    error = failure(other, line.path)
    assert "is in use" in error.what
    assert "two of its devices were given this port" in error.why


def test_a_motor_that_is_missing_is_named_with_those_that_answer(bus: DynamixelBus, line: DynamixelLine) -> None:
    del line.servos[1]
    error = failure(bus, line.path)
    assert "motor 'lift' (id 2) not found" in error.what
    assert "1, 3" in error.why
    assert error.motor == "lift"


def test_an_arm_without_power_is_told_from_one_with_a_missing_motor(bus: DynamixelBus, line: DynamixelLine) -> None:
    line.servos.clear()
    error = failure(bus, line.path)
    assert "no motor answers" in error.what
    assert "power" in error.why


def test_two_motors_with_one_id_are_told_from_one_that_is_missing(bus: DynamixelBus, line: DynamixelLine) -> None:
    line.servos[2].id = line.servos[2].memory[7] = 2
    error = failure(bus, line.path)
    assert "motor 'lift' (id 2)" in error.what
    assert "garbled" in error.what
    assert "motor 'elbow' (id 3)" in error.why


def test_a_motor_of_another_model_is_named(bus: DynamixelBus, line: DynamixelLine) -> None:
    line.servos[0].memory[0:2] = (1200).to_bytes(2, "little")
    error = failure(bus, line.path)
    assert error.what == "motor 'pan' (id 1) is a xl330-m288"
    assert error.why == "expected: xl430-w250"


def test_opening_only_reads(bus: DynamixelBus, line: DynamixelLine) -> None:
    before = [bytes(servo.memory) for servo in line.servos]
    bus.open(line.path, MOTORS, RealClock())
    bus.sync_read("Present_Position")
    assert {request[7] for request in line.requests} <= {1, 2, 0x82}
    assert [bytes(servo.memory) for servo in line.servos] == before


def test_unknown_names_are_told(opened: DynamixelBus) -> None:
    with pytest.raises(BusError, match="no register 'Present_Positon'") as caught:
        opened.sync_read("Present_Positon")
    assert "Present_Position" in caught.value.fix
    with pytest.raises(BusError, match="no motor 'wrist'"):
        opened.read("Present_Position", "wrist")
    with pytest.raises(BusError, match=r"outside 0\.\.4294967295"):
        opened.write("Min_Position_Limit", "pan", -1)


# --- new motors ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def new_motor() -> Iterator[DynamixelLine]:
    """As it leaves the factory."""
    line = DynamixelLine(Servo(1, baud_code=1))
    yield line
    line.close()


def test_a_new_motor_is_found_and_given_its_id_and_baud_rate(bus: DynamixelBus, new_motor: DynamixelLine) -> None:
    (found,) = bus.scan(new_motor.path, RealClock())
    assert (found.id, found.model, found.baud) == (1, "xl330-m288", 57_600)
    bus.assign(new_motor.path, found, 6, RealClock())
    memory = new_motor.servos[0].memory
    assert (memory[7], memory[8]) == (6, 3)


def test_several_new_motors_at_once_are_refused(bus: DynamixelBus, line: DynamixelLine) -> None:
    line.servos[1].id = line.servos[1].memory[7] = 1
    with pytest.raises(BusError, match="several motors"):
        bus.scan(line.path, RealClock())


def test_a_motor_that_does_not_take_its_id_is_an_error(bus: DynamixelBus, line: DynamixelLine) -> None:
    del line.servos[1:]
    line.servos[0].refuses = 7
    (found,) = bus.scan(line.path, RealClock())
    with pytest.raises(BusError, match="did not take id 6"):
        bus.assign(line.path, found, 6, RealClock())
