"""Dynamixel protocol 2.0, the servos' side.

Frame: FF FF FD 00 | id | length L H | instruction | parameters | CRC-16 L H, where the length counts everything
behind it. An answer's instruction is 55 and its first parameter the error byte. Wherever FF FF FD would appear between
length and CRC, another FD follows it ("stuffing"), so that no header is ever seen inside a packet.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from .dynamixel_servo import ACCESS, DynamixelServo
from .wire import Exchange, Reply, collide

BROADCAST = 0xFE
PING, READ, WRITE, REG_WRITE, ACTION, SYNC_READ, SYNC_WRITE, STATUS = 1, 2, 3, 4, 5, 0x82, 0x83, 0x55
ALERT = 0x80
"""Bit of the error byte: look into Hardware_Error_Status."""
BAD_INSTRUCTION = 2
"""Error number for an instruction that does not exist, or lacks its parameters."""
HEADER = b"\xff\xff\xfd\x00"
LONGEST = 1024
"""Bytes after the length; anything longer is noise."""


def _crc_table() -> tuple[int, ...]:
    def shift(value: int) -> int:
        for _ in range(8):
            value = (value << 1 ^ 0x8005 if value & 0x8000 else value << 1) & 0xFFFF
        return value

    return tuple(shift(byte << 8) for byte in range(256))


_CRC = _crc_table()


def crc16(data: bytes) -> int:
    """CRC-16 with polynomial 8005, from 0, most significant bit first."""
    value = 0
    for byte in data:
        value = (value << 8 & 0xFFFF) ^ _CRC[value >> 8 ^ byte]
    return value


def stuff(body: bytes) -> bytes:
    """Let another FD follow every FF FF FD."""
    return body.replace(b"\xff\xff\xfd", b"\xff\xff\xfd\xfd")


def unstuff(body: bytes) -> bytes:
    """Undo `stuff`."""
    return body.replace(b"\xff\xff\xfd\xfd", b"\xff\xff\xfd")


def frame(id: int, instruction: int, parameters: bytes = b"") -> bytes:
    """A packet, stuffed and with its CRC."""
    body = stuff(bytes([instruction]) + parameters)
    packet = HEADER + bytes([id]) + (len(body) + 2).to_bytes(2, "little") + body
    return packet + crc16(packet).to_bytes(2, "little")


class DynamixelDevice:
    """Every servo on one line.

    Args:
        servos: in wiring order; a broadcast ping is answered in order of id.
    """

    def __init__(self, servos: Sequence[DynamixelServo]) -> None:
        self._servos = list(servos)
        self._buffer = bytearray()
        self._baud = 0
        self._do: dict[int, tuple[int, Callable[[int, bytes], list[Reply]]]] = {
            PING: (0, self._ping),
            READ: (4, self._read),
            WRITE: (3, self._write),
            REG_WRITE: (3, self._reg_write),
            ACTION: (0, self._action),
            SYNC_READ: (5, self._sync_read),
            SYNC_WRITE: (6, self._sync_write),
        }

    def feed(self, data: bytes, baud: int) -> Iterator[Exchange]:
        """Carry out what is complete; noise and packets with a wrong CRC are skipped a byte at a time."""
        self._baud = baud
        self._buffer += data
        while (packet := self._next()) is not None:
            yield Exchange(len(packet), collide(self._carry_out(packet)))

    def _next(self) -> bytes | None:
        buffer = self._buffer
        while True:
            # All of it is noise, but for what may be the beginning of a header.
            start = buffer.find(HEADER)
            del buffer[: start if start >= 0 else max(len(buffer) - 3, 0)]
            if start < 0 or len(buffer) < 7:
                return None
            length = int.from_bytes(buffer[5:7], "little")
            packet = bytes(buffer[: 7 + length])
            if not 3 <= length <= LONGEST:
                del buffer[0]
            elif len(packet) < 7 + length:
                return None
            elif crc16(packet[:-2]) != int.from_bytes(packet[-2:], "little"):
                del buffer[0]
            else:
                del buffer[: len(packet)]
                return packet

    def _carry_out(self, packet: bytes) -> list[Reply]:
        id, body = packet[4], unstuff(packet[7:-2])
        instruction, parameters = body[0], body[1:]
        if instruction == STATUS:
            return []
        least, do = self._do.get(instruction, (0, None))
        if do is not None and len(parameters) >= least:
            return do(id, parameters)
        return self._answer_all(id, BAD_INSTRUCTION)

    def _at(self, id: int) -> list[DynamixelServo]:
        """Who listens to `id`; two servos with one id both do, and their answers collide."""
        heard = [s for s in self._servos if s.answers and s.baud == self._baud]
        return [s for s in heard if id in (BROADCAST, s.id)]

    def _answer(self, servo: DynamixelServo, error: int = 0, parameters: bytes = b"", id: int | None = None) -> Reply:
        alert = ALERT if servo.hardware_error else 0
        body = bytes([error | alert]) + parameters
        return Reply(servo, frame(servo.id if id is None else id, STATUS, body), servo.reply_delay)

    def _answer_all(self, id: int, error: int) -> list[Reply]:
        return [] if id == BROADCAST else [self._answer(servo, error) for servo in self._at(id) if servo.returns == 2]

    def _ping(self, id: int, parameters: bytes) -> list[Reply]:
        servos = sorted(self._at(id), key=lambda servo: servo.id)
        return [self._answer(s, 0, s.read(0, 2) + s.read(6, 1)) for s in servos]

    def _read(self, id: int, parameters: bytes) -> list[Reply]:
        if id == BROADCAST:
            return []
        return [self._read_one(servo, parameters) for servo in self._at(id) if servo.returns >= 1]

    def _read_one(self, servo: DynamixelServo, parameters: bytes) -> Reply:
        address, length = _words(parameters)
        known = servo.memory.table.touching(address, length)
        return self._answer(servo, 0, servo.read(address, length)) if known else self._answer(servo, ACCESS)

    def _write(self, id: int, parameters: bytes) -> list[Reply]:
        address, data = int.from_bytes(parameters[:2], "little"), parameters[2:]
        replies = []
        for servo in self._at(id):
            error = servo.refusal(address, data)
            level = servo.returns
            servo.write(address, data)
            if id != BROADCAST and level == 2:
                # A servo that was just given another id answers under the old one.
                replies.append(self._answer(servo, error, id=id))
        return replies

    def _reg_write(self, id: int, parameters: bytes) -> list[Reply]:
        address, data = int.from_bytes(parameters[:2], "little"), parameters[2:]
        replies = []
        for servo in self._at(id):
            error = servo.refusal(address, data)
            if not error:
                servo.stage(address, data)
            replies += [self._answer(servo, error)] if id != BROADCAST and servo.returns == 2 else []
        return replies

    def _action(self, id: int, parameters: bytes) -> list[Reply]:
        for servo in self._at(id):
            servo.act()
        return self._answer_all(id, 0)

    def _sync_read(self, id: int, parameters: bytes) -> list[Reply]:
        heard = [servo for one in parameters[4:] for servo in self._at(one)]
        return [self._read_one(servo, parameters) for servo in heard if servo.returns >= 1]

    def _sync_write(self, id: int, parameters: bytes) -> list[Reply]:
        address, length = _words(parameters)
        for start in range(4, len(parameters) - length, length + 1):
            for servo in self._at(parameters[start]):
                servo.write(address, parameters[start + 1 : start + 1 + length])
        return []


def _words(parameters: bytes) -> tuple[int, int]:
    """Address and length, the first four bytes of a read."""
    return int.from_bytes(parameters[:2], "little"), int.from_bytes(parameters[2:4], "little")
