"""Dynamixel servos on a pseudo-terminal, in a few words: registers in a byte array, one thread, faults on demand."""

from __future__ import annotations

import os
import select
import termios
import threading
import tty
from collections.abc import Callable
from dataclasses import dataclass, field

from dynamixel_sdk import Protocol2PacketHandler

SPEEDS = {1: termios.B57600, 3: termios.B1000000, 0: termios.B9600}
"""Baud codes that these servos know."""
HEADER = b"\xff\xff\xfd\x00"


def packet(id: int, code: int, parameters: bytes = b"") -> bytes:
    body = (bytes([code]) + parameters).replace(HEADER[:3], HEADER[:3] + b"\xfd")
    head = HEADER + bytes([id]) + (len(body) + 2).to_bytes(2, "little") + body
    crc: int = Protocol2PacketHandler().updateCRC(0, head, len(head))
    return head + crc.to_bytes(2, "little")


@dataclass
class Servo:
    """One motor; `memory` is its control table, `refuses` the error number it answers writes with."""

    id: int
    model: int = 1200
    refuses: int = 0
    confirms: bool = True
    baud_code: int = 3
    memory: bytearray = field(default_factory=lambda: bytearray(160))

    def __post_init__(self) -> None:
        self.memory[0:2] = self.model.to_bytes(2, "little")
        self.memory[6], self.memory[7], self.memory[8] = 50, self.id, self.baud_code
        self.memory[132:136] = (2048 + 16 * self.id).to_bytes(4, "little")
        self.memory[144], self.memory[146] = 50, 30

    def number(self, address: int, size: int) -> int:
        return int.from_bytes(self.memory[address : address + size], "little", signed=True)

    @property
    def alert(self) -> int:
        return 0x80 if self.memory[70] else 0


class DynamixelLine:
    """The servos' end. `requests` is everything that was asked, `spoil(answer)` may change or drop an answer."""

    def __init__(self, *servos: Servo) -> None:
        self.servos = list(servos)
        self.requests: list[bytes] = []
        self.spoil: Callable[[Servo, bytes], bytes] = lambda servo, answer: answer
        self._ours, self._theirs = os.openpty()
        tty.setraw(self._theirs)
        self.path = os.ttyname(self._theirs)
        self._stop_read, self._stop_write = os.pipe()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        self._open = True

    def say(self, data: bytes) -> None:
        """Something nobody asked for."""
        os.write(self._ours, data)

    def close(self) -> None:
        """Also what a driver sees when the plug is pulled. Idempotent."""
        if self._open:
            self._open = False
            os.write(self._stop_write, b".")
            self._thread.join()
            for end in (self._ours, self._theirs, self._stop_read, self._stop_write):
                os.close(end)

    def _serve(self) -> None:
        buffer = b""
        while self._stop_read not in select.select([self._ours, self._stop_read], [], [])[0]:
            buffer += os.read(self._ours, 4096)
            while len(buffer) >= 7 and len(buffer) >= (end := 7 + buffer[5] + 256 * buffer[6]):
                request, buffer = buffer[:end], buffer[end:]
                self.requests.append(request)
                os.write(self._ours, b"".join(self._answers(request)))

    def _answers(self, request: bytes) -> list[bytes]:
        body = request[7:-2].replace(HEADER[:3] + b"\xfd", HEADER[:3])
        id, code, data = request[4], body[0], body[1:]
        address, size = int.from_bytes(data[:2], "little"), int.from_bytes(data[2:4], "little")
        found: list[tuple[Servo, bytes]] = []
        if code == 0x82:
            found = [(s, self._read(s, address, size)) for one in data[4:] for s in self._at(one)]
        elif code == 0x83:
            for start in range(4, len(data), size + 1):
                for servo in self._at(data[start]):
                    servo.memory[address : address + size] = data[start + 1 : start + 1 + size]
        elif code == 2:
            found = [(s, self._read(s, address, size)) for s in self._at(id)]
        elif code == 3:
            found = [(s, self._write(s, id, address, data[2:])) for s in self._at(id)]
            found = [(s, answer) for s, answer in found if s.confirms]
        else:
            found = [(s, packet(s.id, 0x55, bytes([s.alert, *s.memory[:2], s.memory[6]]))) for s in self._at(id)]
        return self._collide([(servo, self.spoil(servo, answer)) for servo, answer in found])

    def _at(self, id: int) -> list[Servo]:
        speed = termios.tcgetattr(self._theirs)[5]
        heard = [servo for servo in self.servos if SPEEDS[servo.baud_code] == speed]
        return [servo for servo in heard if id in (0xFE, servo.id)]

    def _read(self, servo: Servo, address: int, size: int) -> bytes:
        return packet(servo.id, 0x55, bytes([servo.alert]) + servo.memory[address : address + size])

    def _write(self, servo: Servo, id: int, address: int, data: bytes) -> bytes:
        if not servo.refuses:
            servo.memory[address : address + len(data)] = data
            servo.id, servo.baud_code = servo.memory[7], servo.memory[8]
        return packet(id, 0x55, bytes([servo.refuses | servo.alert]))

    def _collide(self, answers: list[tuple[Servo, bytes]]) -> list[bytes]:
        heard: list[tuple[int, bytes]] = []
        for servo, answer in answers:
            if heard and heard[-1][0] == servo.id:
                heard[-1] = (servo.id, bytes(a & b for a, b in zip(heard[-1][1], answer, strict=False)))
            else:
                heard.append((servo.id, answer))
        return [answer for _, answer in heard]
