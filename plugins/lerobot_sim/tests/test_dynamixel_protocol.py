"""Protocol 2.0 byte for byte: the vendor's own examples, its SDK's arithmetic, and what servos answer."""

from __future__ import annotations

import itertools

import pytest
from dynamixel_sdk import Protocol2PacketHandler
from hypothesis import given
from hypothesis import strategies as st
from lerobot_sim.servo.dynamixel import (
    ACTION,
    BROADCAST,
    PING,
    READ,
    REG_WRITE,
    SYNC_READ,
    SYNC_WRITE,
    WRITE,
    DynamixelDevice,
    crc16,
    frame,
    stuff,
    unstuff,
)
from lerobot_sim.servo.dynamixel_servo import DynamixelServo

BAUD = 1_000_000
EXAMPLES = {
    "ping": "FF FF FD 00 01 03 00 01 19 4E",
    "ping answered": "FF FF FD 00 01 07 00 55 00 06 04 26 65 5D",
    "read Present_Position": "FF FF FD 00 01 07 00 02 84 00 04 00 1D 15",
    "read answered": "FF FF FD 00 01 08 00 55 00 A6 00 00 00 8C C0",
    "write Goal_Position": "FF FF FD 00 01 09 00 03 74 00 00 02 00 00 CA 89",
    "broadcast ping": "FF FF FD 00 FE 03 00 01 31 42",
}


def servo(id: int = 1, model: str = "xl330-m288", **values: int) -> DynamixelServo:
    return DynamixelServo(f"motor {id}", model, {"ID": id, "Baud_Rate": 3, **values})


def heard(device: DynamixelDevice, request: bytes, baud: int = BAUD) -> list[bytes]:
    return [reply.data for exchange in device.feed(request, baud) for reply in exchange.replies]


def word(*numbers: int) -> bytes:
    return b"".join(number.to_bytes(2, "little") for number in numbers)


@pytest.mark.parametrize("text", EXAMPLES.values(), ids=EXAMPLES)
def test_the_vendors_examples_are_built_byte_for_byte(text: str) -> None:
    packet = bytes.fromhex(text)
    assert frame(packet[4], packet[7], packet[8:-2]) == packet


@given(st.binary(max_size=200))
def test_the_crc_is_the_sdks(data: bytes) -> None:
    assert crc16(data) == Protocol2PacketHandler().updateCRC(0, data, len(data))


HEADERISH = st.lists(st.sampled_from([0xFF, 0xFF, 0xFD, 0x00, 0x55]), max_size=40).map(bytes)


@given(HEADERISH)
def test_stuffing_hides_every_header_and_can_be_undone(body: bytes) -> None:
    assert b"\xff\xff\xfd\x00" not in stuff(body)
    assert unstuff(stuff(body)) == body


@given(HEADERISH)
def test_a_packet_is_stuffed_as_the_sdk_does(parameters: bytes) -> None:
    plain = [0xFF, 0xFF, 0xFD, 0, 7, len(parameters) + 3, 0, 3, *parameters, 0, 0]
    stuffed = Protocol2PacketHandler().addStuffing(plain)
    assert bytes(stuffed[:-2]) == frame(7, 3, parameters)[:-2]


# The SDK unstuffs in place and reads bytes it has already overwritten: FF FF FD FF FD FD comes out with a wrong last
# byte. So nothing like a header follows the one that is stuffed here.
@given(
    st.lists(st.sampled_from([0xFF, 0x00, 0x55]), max_size=20).map(bytes),
    st.lists(st.sampled_from([0x00, 0x55]), max_size=20).map(bytes),
)
def test_the_sdk_unstuffs_an_answer(before: bytes, after: bytes) -> None:
    parameters = before + b"\xff\xff\xfd" + after
    waiting = bytearray(frame(7, 0x55, b"\0" + parameters))

    class Port:
        is_using = False

        def readPort(self, length: int) -> bytes:
            taken = bytes(waiting[:length])
            del waiting[:length]
            return taken

        def isPacketTimeout(self) -> bool:
            return True

    packet, result = Protocol2PacketHandler().rxPacket(Port(), False)
    assert result == 0
    assert bytes(packet[9 : 9 + len(parameters)]) == parameters


@given(HEADERISH, st.lists(st.integers(1, 30), min_size=1))
def test_noise_and_broken_packets_cost_nothing_but_themselves(noise: bytes, pieces: list[int]) -> None:
    device = DynamixelDevice([servo()])
    ping = frame(1, PING)
    spoilt = ping[:-1] + bytes([ping[-1] ^ 1])
    stream = iter(noise + b"\x11" + spoilt + ping)
    answers: list[bytes] = []
    for size in itertools.cycle(pieces):
        piece = bytes(itertools.islice(stream, size))
        answers += heard(device, piece)
        if not piece:
            break
    # What looks like a header in front may have swallowed it; a second ping always comes through.
    answers += heard(device, ping * 120)
    assert answers
    assert set(answers) == {frame(1, 0x55, b"\0" + word(1200) + b"\x32")}


def test_a_broadcast_ping_is_answered_in_order_of_id() -> None:
    device = DynamixelDevice([servo(3), servo(1, "xl430-w250")])
    assert heard(device, frame(BROADCAST, PING)) == [
        frame(1, 0x55, b"\0" + word(1060) + b"\x32"),
        frame(3, 0x55, b"\0" + word(1200) + b"\x32"),
    ]


def test_nobody_hears_another_baud_rate_or_id() -> None:
    device = DynamixelDevice([servo()])
    assert heard(device, frame(1, PING), baud=57_600) == []
    assert heard(device, frame(2, PING)) == []


def test_two_servos_with_one_id_cannot_be_understood() -> None:
    device = DynamixelDevice([servo(1), servo(1, "xl430-w250")])
    (answer,) = heard(device, frame(1, PING))
    assert crc16(answer[:-2]) != int.from_bytes(answer[-2:], "little")


def test_a_read_answers_with_the_register() -> None:
    device = DynamixelDevice([servo()])
    assert heard(device, frame(1, READ, word(0, 2))) == [frame(1, 0x55, b"\0" + word(1200))]


@pytest.mark.parametrize(
    ("parameters", "error"),
    [
        (word(116) + b"\0\0", 5),
        (word(132) + bytes(4), 7),
        (word(500) + b"\1", 7),
        (word(11) + b"\x09", 4),
        (word(116) + (5000).to_bytes(4, "little"), 6),
        (word(64) + b"\1", 0),
    ],
    ids=["half a register", "read-only", "no register", "no such mode", "beyond its limit", "fine"],
)
def test_a_write_is_answered_with_what_is_wrong_with_it(parameters: bytes, error: int) -> None:
    device = DynamixelDevice([servo()])
    assert heard(device, frame(1, WRITE, parameters)) == [frame(1, 0x55, bytes([error]))]


def test_an_unknown_instruction_is_answered_with_an_error() -> None:
    device = DynamixelDevice([servo()])
    assert heard(device, frame(1, 0x77)) == [frame(1, 0x55, b"\x02")]
    assert heard(device, frame(1, READ, b"\0")) == [frame(1, 0x55, b"\x02")]


def test_a_status_packet_of_somebody_else_is_not_an_instruction() -> None:
    device = DynamixelDevice([servo()])
    assert heard(device, frame(1, 0x55, b"\0")) == []


@pytest.mark.parametrize(("level", "answers"), [(0, [1, 0, 0]), (1, [1, 1, 0]), (2, [1, 1, 1])])
def test_the_status_return_level_says_what_is_answered(level: int, answers: list[int]) -> None:
    device = DynamixelDevice([servo(Status_Return_Level=level)])
    requests = (frame(1, PING), frame(1, READ, word(0, 2)), frame(1, WRITE, word(65) + b"\1"))
    assert [len(heard(device, request)) for request in requests] == answers


def test_the_alert_bit_says_that_there_is_a_hardware_error() -> None:
    one = servo()
    device = DynamixelDevice([one])
    one.trip()
    assert heard(device, frame(1, READ, word(70, 1))) == [frame(1, 0x55, b"\x80\x20")]


def test_a_staged_write_waits_for_the_action() -> None:
    one = servo()
    device = DynamixelDevice([one])
    heard(device, frame(1, REG_WRITE, word(65) + b"\1"))
    assert (one.memory["LED"], one.memory["Registered_Instruction"]) == (0, 1)
    heard(device, frame(BROADCAST, ACTION))
    assert (one.memory["LED"], one.memory["Registered_Instruction"]) == (1, 0)


def test_sync_read_and_sync_write_reach_each_by_its_id() -> None:
    first, second = servo(1), servo(2)
    device = DynamixelDevice([first, second])
    assert heard(device, frame(BROADCAST, SYNC_WRITE, word(65, 1) + b"\2\1\1\0")) == []
    assert (first.memory["LED"], second.memory["LED"]) == (0, 1)
    answers = heard(device, frame(BROADCAST, SYNC_READ, word(65, 1) + b"\2\1"))
    assert answers == [frame(2, 0x55, b"\0\1"), frame(1, 0x55, b"\0\0")]


def test_a_renamed_servo_confirms_under_its_old_id() -> None:
    one = servo()
    device = DynamixelDevice([one])
    assert heard(device, frame(1, WRITE, word(7) + b"\5")) == [frame(1, 0x55, b"\0")]
    assert one.id == 5
