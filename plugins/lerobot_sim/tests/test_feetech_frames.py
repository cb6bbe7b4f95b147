"""Protocol 0, byte for byte, without a line: what goes in, what comes out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lerobot_sim.servo.feetech import FeetechDevice, checksum, frame
from lerobot_sim.servo.feetech_servo import FeetechServo
from lerobot_sim.servo.feetech_table import STS

BAUD = 1_000_000


def device(*ids: int) -> tuple[FeetechDevice, list[FeetechServo]]:
    servos = [FeetechServo(f"m{i}", "sts3215", {"ID": i}) for i in ids]
    return FeetechDevice(servos), servos


def answers(dev: FeetechDevice, data: bytes, baud: int = BAUD) -> list[str]:
    return [reply.data.hex(" ") for exchange in dev.feed(data, baud) for reply in exchange.replies]


def test_ping_is_answered_with_the_error_byte() -> None:
    dev, _ = device(1)
    assert answers(dev, bytes.fromhex("ff ff 01 02 01 fb")) == ["ff ff 01 02 00 fc"]


def test_read_gives_bytes_low_first() -> None:
    dev, servos = device(1)
    servos[0].drive.position = 0x0518
    assert answers(dev, bytes.fromhex("ff ff 01 04 02 38 02 be")) == ["ff ff 01 04 00 18 05 dd"]


def test_read_of_the_model_number() -> None:
    dev, _ = device(3)
    assert answers(dev, frame(3, 2, bytes([3, 2]))) == ["ff ff 03 04 00 09 03 ec"]


def test_write_is_confirmed_and_sync_write_is_not() -> None:
    dev, servos = device(1, 2)
    assert answers(dev, frame(1, 3, bytes([40, 1]))) == ["ff ff 01 02 00 fc"]
    both = bytes([42, 2, 1, 0x00, 0x08, 2, 0x00, 0x04])
    assert answers(dev, frame(0xFE, 0x83, both)) == []
    assert [servo.memory["Goal_Position"] for servo in servos] == [0x0800, 0x0400]


def test_sync_read_is_answered_in_the_order_asked() -> None:
    dev, servos = device(1, 2)
    servos[0].drive.position, servos[1].drive.position = 256, 513
    reply = answers(dev, frame(0xFE, 0x82, bytes([56, 2, 2, 1])))
    assert reply == ["ff ff 02 04 00 01 02 f6", "ff ff 01 04 00 00 01 f9"]


def test_staged_write_waits_for_the_action() -> None:
    dev, servos = device(1)
    assert answers(dev, frame(1, 4, bytes([41, 50]))) == ["ff ff 01 02 00 fc"]
    assert servos[0].memory["Acceleration"] == 0
    assert answers(dev, frame(0xFE, 5)) == []
    assert servos[0].memory["Acceleration"] == 50


def test_everybody_answers_a_broadcast_ping_and_nobody_a_broadcast_read() -> None:
    dev, _ = device(2, 1)
    assert answers(dev, frame(0xFE, 1)) == ["ff ff 01 02 00 fc", "ff ff 02 02 00 fb"]
    assert answers(dev, frame(0xFE, 2, bytes([3, 2]))) == []


def test_a_servo_set_to_answer_reads_only_does_not_confirm_writes() -> None:
    dev, servos = device(1)
    servos[0].memory["Response_Status_Level"] = 0
    assert answers(dev, frame(1, 3, bytes([40, 1]))) == []
    assert len(answers(dev, frame(1, 1))) == 1


@pytest.mark.parametrize("code", [6, 0x55, 0])
def test_unknown_instructions_are_met_with_silence(code: int) -> None:
    dev, _ = device(1)
    assert answers(dev, frame(1, code, b"\x01\x02")) == []


@pytest.mark.parametrize("code", [2, 3, 4, 0x82, 0x83])
def test_instructions_without_their_parameters_are_ignored(code: int) -> None:
    dev, _ = device(1)
    assert answers(dev, frame(1, code) + frame(1, 1)) == ["ff ff 01 02 00 fc"]


def test_a_wrong_checksum_is_ignored_and_the_next_packet_heard() -> None:
    dev, _ = device(1)
    spoilt = bytearray(frame(1, 1))
    spoilt[-1] ^= 1
    assert answers(dev, bytes(spoilt) + frame(1, 1)) == ["ff ff 01 02 00 fc"]


def test_another_baud_rate_is_not_understood() -> None:
    dev, servos = device(1)
    assert answers(dev, frame(1, 1), baud=115_200) == []
    servos[0].memory["Baud_Rate"] = 4
    assert len(answers(dev, frame(1, 1), baud=115_200)) == 1


def test_a_new_id_is_confirmed_under_the_old_one() -> None:
    dev, servos = device(1)
    servos[0].memory["Lock"] = 0
    assert answers(dev, frame(1, 3, bytes([5, 9]))) == ["ff ff 01 02 00 fc"]
    assert answers(dev, frame(1, 1)) == []
    assert len(answers(dev, frame(9, 1))) == 1


def test_two_servos_with_one_id_spoil_each_others_answers_unless_they_are_equal() -> None:
    dev, servos = device(1, 1)
    assert answers(dev, frame(1, 1)) == ["ff ff 01 02 00 fc"]
    servos[0].drive.position, servos[1].drive.position = 1000, 2000
    (heard,) = answers(dev, frame(1, 2, bytes([56, 2])))
    data = bytes.fromhex(heard)
    assert checksum(data[2:-1]) != data[-1]


@given(st.lists(st.binary(min_size=0, max_size=12), max_size=12))
def test_noise_never_breaks_it(pieces: list[bytes]) -> None:
    dev, _ = device(1, 2)
    for piece in pieces:
        list(dev.feed(piece, BAUD))
    # Whatever was left over, silence of one packet's length of zeros clears it.
    list(dev.feed(bytes(260), BAUD))
    assert answers(dev, frame(2, 1)) == ["ff ff 02 02 00 fb"]


@given(st.lists(st.integers(1, 30), min_size=1, max_size=30))
def test_it_does_not_matter_how_the_bytes_are_cut(cuts: list[int]) -> None:
    stream = frame(1, 1) + frame(1, 2, bytes([3, 2])) + frame(0xFE, 0x82, bytes([56, 2, 1, 2]))
    whole, _ = device(1, 2)
    cut, _ = device(1, 2)
    heard: list[str] = []
    rest = stream
    for size in [*cuts, len(stream)]:
        heard += answers(cut, rest[:size])
        rest = rest[size:]
    assert heard == answers(whole, stream)


@given(st.sampled_from(sorted(STS.registers)), st.integers(-(2**16), 2**16))
def test_a_register_gives_back_what_fits_into_it(name: str, value: int) -> None:
    row = STS[name]
    data = row.encode(value)
    assert len(data) == row.size
    assert row.encode(row.decode(data)) == data
    if row.sign is None and 0 <= value < 1 << 8 * row.size:
        assert row.decode(data) == value
    if row.sign is not None and abs(value) < 1 << row.sign:
        assert row.decode(data) == value
