"""Feetech servos on a pseudo-terminal, in a few words: registers in a byte array, one thread, faults on demand."""

from __future__ import annotations

import os
import select
import termios
import threading
import time
import tty
from collections.abc import Callable
from dataclasses import dataclass, field

SPEEDS = {0: termios.B1000000, 1: termios.B500000, 5: termios.B57600}
"""Baud codes that these servos know."""


def packet(id: int, code: int, parameters: bytes = b"") -> bytes:
    body = bytes([id, len(parameters) + 2, code]) + parameters
    return b"\xff\xff" + body + bytes([~sum(body) & 0xFF])


@dataclass
class Servo:
    """One motor; `memory` is its control table."""

    id: int
    model: int = 777
    error: int = 0
    confirms: bool = True
    baud_code: int = 0
    memory: bytearray = field(default_factory=lambda: bytearray(128))

    def __post_init__(self) -> None:
        self.memory[0:2] = 3, 10
        self.memory[3:5] = self.model.to_bytes(2, "little")
        self.memory[5], self.memory[6] = self.id, self.baud_code
        self.memory[55] = 1
        self.memory[56:58] = (2048 + 16 * self.id).to_bytes(2, "little")
        self.memory[62], self.memory[63] = 74, 30

    def word(self, address: int) -> int:
        return int.from_bytes(self.memory[address : address + 2], "little")


class ServoLine:
    """The servos' end. `requests` is everything that was asked, `spoil(answer)` may change or drop an answer."""

    def __init__(self, *servos: Servo) -> None:
        self.servos = list(servos)
        self.requests: list[bytes] = []
        self.late_s = 0.0
        self.spoil: Callable[[Servo, bytes], bytes] = lambda servo, answer: answer
        self._ours, self._theirs = os.openpty()
        tty.setraw(self._theirs)
        self.path = os.ttyname(self._theirs)
        self._stop_read, self._stop_write = os.pipe()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self) -> None:
        os.write(self._stop_write, b".")
        self._thread.join()
        for end in (self._ours, self._theirs, self._stop_read, self._stop_write):
            os.close(end)

    def pull_the_plug(self) -> None:
        """The port vanishes."""
        self.close()
        self._ours, self._theirs = os.pipe()
        self._stop_read, self._stop_write = os.pipe()
        self._thread = threading.Thread(target=lambda: None)
        self._thread.start()

    def _serve(self) -> None:
        buffer = b""
        while self._stop_read not in select.select([self._ours, self._stop_read], [], [])[0]:
            buffer += os.read(self._ours, 4096)
            while len(buffer) >= 4 and len(buffer) >= buffer[3] + 4:
                request, buffer = buffer[: buffer[3] + 4], buffer[buffer[3] + 4 :]
                self.requests.append(request)
                answer = b"".join(self._answers(request))
                time.sleep(self.late_s)
                os.write(self._ours, answer)

    def _answers(self, request: bytes) -> list[bytes]:
        id, code, parameters = request[2], request[4], request[5:-1]
        if code == 0x82:
            found = [(s, self._read(s, *parameters[:2])) for one in parameters[2:] for s in self._at(one)]
        elif code == 0x83:
            address, size = parameters[:2]
            for start in range(2, len(parameters), size + 1):
                for servo in self._at(parameters[start]):
                    servo.memory[address : address + size] = parameters[start + 1 : start + 1 + size]
            found = []
        elif code == 2:
            found = [(s, self._read(s, *parameters[:2])) for s in self._at(id)]
        elif code == 3:
            found = [(s, self._write(s, parameters[0], parameters[1:])) for s in self._at(id)]
            found = [(s, answer) for s, answer in found if s.confirms]
        else:
            found = [(s, packet(s.id, s.error)) for s in self._at(id)]
        return self._collide([(servo, self.spoil(servo, answer)) for servo, answer in found])

    def _at(self, id: int) -> list[Servo]:
        speed = termios.tcgetattr(self._theirs)[5]
        heard = [servo for servo in self.servos if SPEEDS[servo.baud_code] == speed]
        return [servo for servo in heard if id in (0xFE, servo.id)]

    def _read(self, servo: Servo, address: int, size: int) -> bytes:
        return packet(servo.id, servo.error, bytes(servo.memory[address : address + size]))

    def _write(self, servo: Servo, address: int, data: bytes) -> bytes:
        answer = packet(servo.id, servo.error)
        stored = address < 40
        if not stored or servo.memory[55] == 0:
            servo.memory[address : address + len(data)] = data
            servo.id, servo.baud_code = servo.memory[5], servo.memory[6]
        return answer

    def _collide(self, answers: list[tuple[Servo, bytes]]) -> list[bytes]:
        heard: list[tuple[int, bytes]] = []
        for servo, answer in answers:
            if heard and heard[-1][0] == servo.id:
                heard[-1] = (servo.id, bytes(a & b for a, b in zip(heard[-1][1], answer, strict=False)))
            else:
                heard.append((servo.id, answer))
        return [answer for _, answer in heard]
