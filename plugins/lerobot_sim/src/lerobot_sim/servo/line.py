"""One serial line: requests in, answers out when the wire would have carried them, broken on demand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from .port import PseudoPort
from .wire import Device, Exchange, Reply

BITS_A_BYTE = 10
"""Start bit, eight bits, stop bit."""
TOGETHER_S = 0.002
"""Answers this close together are delivered as one burst, as a USB adapter does."""


At = Callable[[float, Callable[[], None]], None]


@dataclass(slots=True)
class Fault:
    """So many answers still to be spoilt; `motor` None means anybody's."""

    kind: str
    count: int
    motor: str | None = None
    seconds: float = 0.0


class Burst(NamedTuple):
    """Bytes, and when the last of them is through."""

    at: float
    data: bytes


class Line:
    """Ties a pseudo-terminal to the servos behind it.

    Args:
        port: where the driver's bytes come from.
        device: the protocol, with its servos.
        at: `at(t, fn)` runs `fn` at `t`; None delivers at once and only counts the time.
        faults: what to spoil: `lost`, `late` by so many seconds, `corrupt`; used up here, added to by the owner.
    """

    def __init__(
        self, port: PseudoPort, device: Device, at: At | None = None, faults: list[Fault] | None = None
    ) -> None:
        self._port, self._device, self._at = port, device, at
        self._faults = [] if faults is None else faults
        self.wire_s = 0.0
        self.requests = 0

    def receive(self, now: float) -> None:
        """The port has bytes to read."""
        baud = self._port.baud or 1_000_000
        t = now
        for exchange in self._device.feed(self._port.read(), baud):
            self.requests += 1
            for burst in self._carry(exchange, t, BITS_A_BYTE / baud):
                self._deliver(burst)
                t = burst.at
        self.wire_s += t - now

    def _deliver(self, burst: Burst) -> None:
        if self._at is None:
            self._port.write(burst.data)
        elif burst.data:
            self._at(burst.at, lambda: self._port.write(burst.data))

    def _carry(self, exchange: Exchange, t: float, byte_s: float) -> Sequence[Burst]:
        t += exchange.request * byte_s
        bursts: list[Burst] = []
        for reply in exchange.replies:
            spoilt = self._spoil(reply)
            t += reply.delay + len(reply.data) * byte_s + spoilt.at
            if bursts and t - bursts[-1].at < TOGETHER_S:
                bursts[-1] = Burst(t, bursts[-1].data + spoilt.data)
            else:
                bursts.append(Burst(t, spoilt.data))
        return bursts or [Burst(t, b"")]

    def _spoil(self, reply: Reply) -> Burst:
        """The answer's bytes after what is wrong with it, and how much later they come."""
        fault = next((f for f in self._faults if f.motor in (None, reply.servo.name)), None)
        if fault is None:
            return Burst(0.0, reply.data)
        fault.count -= 1
        if fault.count <= 0:
            self._faults.remove(fault)
        if fault.kind == "lost":
            return Burst(0.0, b"")
        if fault.kind == "late":
            return Burst(fault.seconds, reply.data)
        return Burst(0.0, reply.data[:-1] + bytes([reply.data[-1] ^ 0x55]))
