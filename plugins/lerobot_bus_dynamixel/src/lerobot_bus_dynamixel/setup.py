"""Giving new motors their ids: they all leave the factory as number 1, at 57600 bits a second."""

from __future__ import annotations

from lerobot_core.contracts.bus import FoundMotor
from lerobot_core.errors import BusError

from .protocol import Protocol
from .table import BAUD_CODES, NAMES, X_SERIES

CUSTOMARY = 1_000_000
_PATIENCE_S = 0.05
_TRIES = 5
_PRESENT = (120, 27)


def scan(port: str) -> list[FoundMotor]:
    """Who answers, at the first baud rate at which somebody does; [] when nobody does at any (about 10 s).

    Raises:
        BusError: the port cannot be opened, or several motors speak at once.
    """
    for baud in BAUD_CODES:
        protocol = Protocol.open(port, baud)
        try:
            ids = protocol.call()
            noise = protocol.garbled
            found = [_describe(protocol, id, baud) for id in ids]
        finally:
            protocol.line.close()
        if noise or None in found:
            raise BusError(
                f"several motors with one id answer on {port}",
                "new motors all have id 1",
                "connect one motor at a time",
            )
        if found:
            return [motor for motor in found if motor is not None]
    return []


def assign(port: str, found: FoundMotor, id: int) -> None:
    """Give a motor id `id` and 1 Mbit/s, kept without power.

    Raises:
        BusError: it does not answer to its new id.
    """
    protocol = Protocol.open(port, found.baud)
    try:
        _write(protocol, found.id, "Torque_Enable", 0)
        _write(protocol, found.id, "ID", id)
        if found.baud != CUSTOMARY:
            _write(protocol, id, "Baud_Rate", BAUD_CODES[CUSTOMARY])
    finally:
        protocol.line.close()
    protocol = Protocol.open(port, CUSTOMARY)
    try:
        _confirm(protocol, port, id)
    finally:
        protocol.line.close()


def _describe(protocol: Protocol, id: int, baud: int) -> FoundMotor | None:
    """None when the motor is not alone with its id."""
    model = X_SERIES["Model_Number"]
    for _ in range(_TRIES):
        identity = protocol.read(id, model.address, model.size, _PATIENCE_S)
        if identity is not None and protocol.read(id, *_PRESENT, _PATIENCE_S) is not None:
            number = model.decode(identity.data)
            return FoundMotor(id, NAMES.get(number, f"model {number}"), baud)
    return None


def _write(protocol: Protocol, id: int, register: str, value: int) -> None:
    """Whether it was done is seen when the motor is asked under its new id and rate."""
    where = X_SERIES[register]
    protocol.write(id, where.address, where.encode(value), _PATIENCE_S)


def _confirm(protocol: Protocol, port: str, id: int) -> None:
    where = X_SERIES["ID"]
    for _ in range(_TRIES):
        answer = protocol.read(id, where.address, where.size, _PATIENCE_S)
        if answer is not None and where.decode(answer.data) == id:
            return
    raise BusError(
        f"the motor on {port} did not take id {id}",
        "it does not answer to it",
        "switch its power off and on, try again",
    )
