"""What a protocol makes of the bytes on the line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple, Protocol

from .servo import Servo


class Reply(NamedTuple):
    """One servo's answer: from whom, the bytes, and how long the servo thinks before it sends them (seconds)."""

    servo: Servo
    data: bytes
    delay: float


class Exchange(NamedTuple):
    """One request: its length in bytes, and the answers in the order in which they are sent."""

    request: int
    replies: Sequence[Reply]


class Device(Protocol):
    """The servos' side of one protocol."""

    def feed(self, data: bytes, baud: int) -> Iterator[Exchange]:
        """Take bytes sent at `baud` bits a second; yields each complete request, already carried out."""


def collide(replies: Sequence[Reply]) -> list[Reply]:
    """What is heard when servos with the same id speak at once.

    The line is pulled low by either, so the bytes are ANDed: equal answers pass for one, others fail their checksum.
    """
    heard: list[Reply] = []
    for reply in replies:
        if heard and heard[-1].servo is not reply.servo and heard[-1].servo.id == reply.servo.id:
            mixed = bytes(a & b for a, b in zip(heard[-1].data, reply.data, strict=False))
            heard[-1] = heard[-1]._replace(data=mixed)
        else:
            heard.append(reply)
    return heard
