"""The first words with every motor: is it there, is it alone with its id, is it the model that was expected."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from lerobot_core.contracts.bus import Motor
from lerobot_core.errors import BusError

from .protocol import Answer, Protocol
from .table import MODELS, NAMES

_TRIES = 3
_IDENTITY = (0, 5)
"""Firmware and model."""
_PRESENT = (56, 8)
"""Position, speed, load, voltage, temperature: no two motors agree in all of them."""


def greet(protocol: Protocol, motors: Mapping[str, Motor], port: str, patience_s: float, log: logging.Logger) -> None:
    """Ask every motor who it is.

    Raises:
        BusError: for the first thing that is wrong, naming every motor it is wrong with.
    """
    silent: list[str] = []
    double: list[str] = []
    identities: dict[str, Answer] = {}
    for name, motor in motors.items():
        answer, garbled = _ask(protocol, motor.id, _IDENTITY, patience_s)
        if answer is not None:
            identities[name] = answer
            answer, garbled = _ask(protocol, motor.id, _PRESENT, patience_s)
        if answer is None:
            (double if garbled else silent).append(name)
    if double:
        raise _double(motors, double, silent)
    if silent:
        raise _missing(protocol, motors, silent, port, patience_s)
    _check_models(motors, identities)
    _compare_firmware(identities, log)


def _ask(protocol: Protocol, id: int, block: tuple[int, int], patience_s: float) -> tuple[Answer | None, bool]:
    """The answer, and whether there was noise instead; a motor that is not there makes none."""
    garbled = False
    for _ in range(_TRIES):
        answer = protocol.read(id, *block, patience_s)
        if answer is not None:
            return answer, False
        garbled = garbled or protocol.garbled
    return None, garbled


def _double(motors: Mapping[str, Motor], double: list[str], silent: list[str]) -> BusError:
    named = _named(motors, double)
    why = f"two motors with one id speak at once; {_named(motors, silent)} answer not at all" if silent else ""
    return BusError(
        f"answers of {named} are garbled",
        why or "two motors with one id speak at once, or the line is noisy",
        "give every motor its own id: lr setup-motors",
        motor=double[0],
    )


def _missing(
    protocol: Protocol, motors: Mapping[str, Motor], silent: list[str], port: str, patience_s: float
) -> BusError:
    there = protocol.call(patience_s)
    if not there:
        return BusError(
            f"no motor answers on {port}",
            "the arm has no power, its cable is loose, the motors have another baud rate, or this is another device",
            "switch the power on; new motors: lr setup-motors; other ports: lr find ports",
            motor=silent[0],
            count=_TRIES,
        )
    return BusError(
        f"{_named(motors, silent)} not found on {port}",
        f"ids that answer: {', '.join(map(str, there))}",
        "check the cable between them; new motors need ids: lr setup-motors",
        motor=silent[0],
        count=_TRIES,
    )


def _check_models(motors: Mapping[str, Motor], identities: Mapping[str, Answer]) -> None:
    wrong = []
    for name, answer in identities.items():
        number = int.from_bytes(answer.data[3:5], "little")
        if number != MODELS.get(motors[name].model):
            wrong.append(f"'{name}' (id {motors[name].id}) is a {NAMES.get(number, f'model {number}')}")
    if wrong:
        expected = ", ".join(sorted({motor.model for motor in motors.values()}))
        raise BusError(
            "; ".join(wrong), f"this arm has {expected}", "check --robot or --teleop, and the port", motor=None
        )


def _compare_firmware(identities: Mapping[str, Answer], log: logging.Logger) -> None:
    by_version: dict[str, list[str]] = {}
    for name, answer in identities.items():
        by_version.setdefault(f"{answer.data[0]}.{answer.data[1]}", []).append(name)
    if len(by_version) > 1:
        listed = "; ".join(f"{version}: {', '.join(names)}" for version, names in sorted(by_version.items()))
        log.warning("the motors have different firmware (%s); bring them to one version with the vendor's tool", listed)


def _named(motors: Mapping[str, Motor], names: list[str]) -> str:
    return ", ".join(f"motor '{name}' (id {motors[name].id})" for name in names)
