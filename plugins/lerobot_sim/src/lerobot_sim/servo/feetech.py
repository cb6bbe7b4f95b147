"""Feetech protocol 0, the servos' side.

Frame: FF FF | id | length = parameters + 2 | instruction or error | parameters | ~sum(id..parameters) & FF.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from .feetech_servo import FeetechServo
from .wire import Exchange, Reply, collide

BROADCAST = 0xFE
PING, READ, WRITE, REG_WRITE, ACTION, SYNC_READ, SYNC_WRITE = 1, 2, 3, 4, 5, 0x82, 0x83


def checksum(body: bytes | bytearray) -> int:
    """Of everything between the header and itself."""
    return ~sum(body) & 0xFF


def frame(id: int, code: int, parameters: bytes = b"") -> bytes:
    """A packet; `code` is an instruction one way, an error byte the other."""
    body = bytes([id, len(parameters) + 2, code]) + parameters
    return b"\xff\xff" + body + bytes([checksum(body)])


class FeetechDevice:
    """Every servo on one line.

    Args:
        servos: in wiring order; a broadcast ping is answered in order of id.
    """

    def __init__(self, servos: Sequence[FeetechServo]) -> None:
        self._servos = list(servos)
        self._buffer = bytearray()
        self._baud = 0
        self._do: dict[int, tuple[int, Callable[[int, bytes], list[Reply]]]] = {
            PING: (0, self._ping),
            READ: (2, self._read),
            WRITE: (2, self._write),
            REG_WRITE: (2, self._reg_write),
            ACTION: (0, self._action),
            SYNC_READ: (3, self._sync_read),
            SYNC_WRITE: (4, self._sync_write),
        }

    def feed(self, data: bytes, baud: int) -> Iterator[Exchange]:
        """Carry out what is complete; noise and packets with a wrong checksum are skipped a byte at a time."""
        self._baud = baud
        self._buffer += data
        while (packet := self._next()) is not None:
            yield Exchange(len(packet), collide(self._carry_out(packet)))

    def _carry_out(self, packet: bytes) -> list[Reply]:
        """Unknown instructions and ones without their parameters are met with silence."""
        least, do = self._do.get(packet[4], (0, None))
        parameters = packet[5:-1]
        return do(packet[2], parameters) if do and len(parameters) >= least else []

    def _next(self) -> bytes | None:
        buffer = self._buffer
        while len(buffer) >= 6:
            end = buffer[3] + 4
            if buffer[:2] != b"\xff\xff" or buffer[2] == 0xFF or buffer[3] < 2:
                del buffer[0]
            elif len(buffer) < end:
                return None
            elif checksum(buffer[2 : end - 1]) != buffer[end - 1]:
                del buffer[0]
            else:
                packet = bytes(buffer[:end])
                del buffer[:end]
                return packet
        return None

    def _at(self, id: int) -> list[FeetechServo]:
        """Who listens to `id`; two servos with one id both do, and their answers collide."""
        heard = [s for s in self._servos if s.answers and s.baud == self._baud]
        return [s for s in heard if id in (BROADCAST, s.id)]

    def _answer(self, servo: FeetechServo, parameters: bytes = b"") -> Reply:
        return Reply(servo, frame(servo.id, servo.error, parameters), servo.reply_delay)

    def _ping(self, id: int, parameters: bytes) -> list[Reply]:
        return [self._answer(servo) for servo in sorted(self._at(id), key=lambda s: s.id)]

    def _read(self, id: int, parameters: bytes) -> list[Reply]:
        if id == BROADCAST:
            return []
        address, length = parameters[:2]
        return [self._answer(servo, servo.read(address, length)) for servo in self._at(id)]

    def _confirm(self, id: int, servos: list[FeetechServo]) -> list[Reply]:
        return [] if id == BROADCAST else [self._answer(servo) for servo in servos if servo.confirms]

    def _write(self, id: int, parameters: bytes) -> list[Reply]:
        servos = self._at(id)
        replies = []
        for servo in servos:
            servo.write(parameters[0], parameters[1:])
            # A servo that was just given another id answers under the old one.
            replies += [self._renamed(reply, id) for reply in self._confirm(id, [servo])]
        return replies

    def _renamed(self, reply: Reply, id: int) -> Reply:
        if reply.servo.id == id:
            return reply
        return reply._replace(data=frame(id, reply.data[4]))

    def _reg_write(self, id: int, parameters: bytes) -> list[Reply]:
        servos = self._at(id)
        for servo in servos:
            servo.stage(parameters[0], parameters[1:])
        return self._confirm(id, servos)

    def _action(self, id: int, parameters: bytes) -> list[Reply]:
        servos = self._at(id)
        for servo in servos:
            servo.act()
        return self._confirm(id, servos)

    def _sync_read(self, id: int, parameters: bytes) -> list[Reply]:
        address, length = parameters[0], parameters[1]
        return [self._answer(s, s.read(address, length)) for one in parameters[2:] for s in self._at(one)]

    def _sync_write(self, id: int, parameters: bytes) -> list[Reply]:
        address, length = parameters[0], parameters[1]
        for start in range(2, len(parameters) - length, length + 1):
            for servo in self._at(parameters[start]):
                servo.write(address, parameters[start + 1 : start + 1 + length])
        return []
