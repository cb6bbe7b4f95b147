"""Loose servos behind a pseudo-terminal, served on a thread; what the vendors' SDKs are pointed at."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import scservo_sdk as scs
from lerobot_sim.host.reactor import Reactor
from lerobot_sim.servo.drive import FreePlant
from lerobot_sim.servo.line import Fault, Line
from lerobot_sim.servo.port import PseudoPort
from lerobot_sim.servo.servo import Servo
from lerobot_sim.servo.wire import Device


class PatientPort(scs.PortHandler):  # type: ignore[misc]  # untyped
    """The vendor's port, waiting longer for an answer: on a machine with much to do 34 ms are soon gone."""

    def setPacketTimeout(self, packet_length: int) -> None:
        super().setPacketTimeout(packet_length)
        self.packet_timeout += 250.0


@dataclass
class Bench:
    """What a test touches: the port's path, the servos by name, and faults to add to."""

    path: str
    servos: dict[str, Servo]
    line: Line
    faults: list[Fault] = field(default_factory=list)

    def settle(self, seconds: float = 5.0) -> None:
        """Let the shafts run to their goals, in no time."""
        FreePlant([servo.drive for servo in self.servos.values()]).advance(seconds)


@contextmanager
def bench(servos: Sequence[Servo], device: Device) -> Iterator[Bench]:
    """Serve `device` until the block ends."""
    reactor, port, faults = Reactor(), PseudoPort(), []
    line = Line(port, device, reactor.at, faults)
    wake, waker = os.pipe()
    reactor.watch(wake, reactor.stop)
    reactor.watch(port.fileno(), lambda: line.receive(time.perf_counter()))
    thread = threading.Thread(target=reactor.run)
    thread.start()
    try:
        yield Bench(port.path, {servo.name: servo for servo in servos}, line, faults)
    finally:
        os.write(waker, b"x")
        thread.join()
        port.close()
        os.close(wake)
        os.close(waker)
