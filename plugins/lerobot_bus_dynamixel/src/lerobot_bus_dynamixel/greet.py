"""The first words with every motor: is it there, is it alone with its id, is it the model that was expected."""

from __future__ import annotations

from collections.abc import Mapping

from lerobot_core.contracts.bus import Motor
from lerobot_core.errors import BusError

from .protocol import Answer, Protocol
from .table import MODELS, NAMES

_TRIES = 3
_IDENTITY = (0, 10)
"""From Model_Number to Return_Delay_Time."""
_PRESENT = (120, 27)
"""Clock, position, velocity, current, voltage, temperature: no two motors agree in all of them."""


def greet(protocol: Protocol, motors: Mapping[str, Motor], port: str, patience_s: float) -> dict[int, int]:
    """Ask every motor who it is; returns the Return_Delay_Time of each id.

    Raises:
        BusError: for the first thing that is wrong, naming every motor it is wrong with.
    """
    silent: list[str] = []
    double: list[str] = []
    models: dict[str, int] = {}
    delays: dict[int, int] = {}
    for name, motor in motors.items():
        answer, garbled = _ask(protocol, motor.id, _IDENTITY, patience_s)
        if answer is not None:
            models[name], delays[motor.id] = int.from_bytes(answer.data[:2], "little"), answer.data[9]
            answer, garbled = _ask(protocol, motor.id, _PRESENT, patience_s)
        if answer is None:
            (double if garbled else silent).append(name)
    if double:
        raise _double(motors, double, silent)
    if silent:
        raise _missing(protocol, motors, silent, port)
    _check_models(motors, models)
    return delays


def _ask(protocol: Protocol, id: int, block: tuple[int, int], patience_s: float) -> tuple[Answer | None, bool]:
    """The answer, and whether every try brought noise instead."""
    garbled = True
    for _ in range(_TRIES):
        answer = protocol.read(id, *block, patience_s)
        if answer is not None:
            return answer, False
        garbled = garbled and protocol.garbled
    return None, garbled


def _double(motors: Mapping[str, Motor], double: list[str], silent: list[str]) -> BusError:
    why = "two motors with one id speak at once"
    why += f"; {_named(motors, silent)} answer not at all" if silent else ", or the line is noisy"
    return BusError(
        f"answers of {_named(motors, double)} are garbled",
        why,
        "give every motor its own id: lr setup-motors",
        motor=double[0],
    )


def _missing(protocol: Protocol, motors: Mapping[str, Motor], silent: list[str], port: str) -> BusError:
    there = protocol.call()
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


def _check_models(motors: Mapping[str, Motor], models: Mapping[str, int]) -> None:
    wrong = {name: number for name, number in models.items() if number != MODELS.get(motors[name].model)}
    if wrong:
        found = [f"{_named(motors, [name])} is a {_model(number)}" for name, number in wrong.items()]
        expected = sorted({motors[name].model for name in wrong})
        raise BusError(
            "; ".join(found),
            f"expected: {', '.join(expected)}",
            "check --robot or --teleop, and the port",
            motor=next(iter(wrong)),
        )


def _model(number: int) -> str:
    return NAMES.get(number, f"model {number}")


def _named(motors: Mapping[str, Motor], names: list[str]) -> str:
    return ", ".join(f"motor '{name}' (id {motors[name].id})" for name in names)
