"""One arm's electronics: its servos, what they move, and the line they hang on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from .drive import Plant
from .hands import Hands
from .line import At, Fault, Line
from .port import PseudoPort
from .servo import Servo
from .wire import Device

ON_THE_LINE = ("lost", "late", "corrupt")
AGE_S = 0.02
"""How often protection and temperature are looked at, seconds."""


class Rig:
    """Hardware that outlives the ports it is reached by.

    Args:
        servos: in wiring order.
        plant: what they move.
        device: makes the protocol's side of a new line.
        rest: where the arm lies when nobody holds it, as shares of the ranges.
    """

    def __init__(
        self, servos: Sequence[Servo], plant: Plant, device: Callable[[], Device], rest: Sequence[float]
    ) -> None:
        self.servos = {servo.name: servo for servo in servos}
        self.plant = plant
        self.hands = Hands(plant, [servo.drive for servo in servos], rest)
        self.port: PseudoPort | None = None
        self.line: Line | None = None
        self._device = device
        self._faults: list[Fault] = []
        self._age = 0.0
        self._dark_until: float | None = None

    def open(self, at: At | None) -> PseudoPort:
        """Plug in a cable; the returned port's `path` is what a driver opens. `at` as for `Line`."""
        self.port = PseudoPort()
        self.line = Line(self.port, self._device(), at, self._faults)
        return self.port

    def close(self) -> None:
        """Pull the cable out. Torque stays as it is. Idempotent."""
        if self.port is not None:
            self.port.close()
        self.port = self.line = None

    def tick(self, dt: float, now: float) -> None:
        """Let servos age by `dt`, and power come back when a brown-out is over."""
        self._age += dt
        if self._age >= AGE_S:
            for servo in self.servos.values():
                servo.tick(self._age)
            self._age = 0.0
        if self._dark_until is not None and now >= self._dark_until:
            self._dark_until = None
            self._supply(None)

    def fault(self, kind: str, now: float, motor: str | None = None, **options: Any) -> None:
        """Break something; `motor` None means all of them.

        Args:
            kind: `lost`, `late`, `corrupt` (count answers of a motor's, `late` by `seconds`), `gone`, `overload`,
                `brownout` (down to `volts` for `seconds`), `model` (answers `number`), `id` (takes `number`),
                `only` (just this motor is plugged in), `clear`.
            now: seconds.

        Raises:
            ValueError: an unknown kind, motor or option.
        """
        chosen = self._chosen(motor)
        if kind in ON_THE_LINE:
            self._faults.append(_line_fault(kind, motor, **options))
        elif kind == "brownout":
            self._brown_out(now, **options)
        else:
            self._break(kind, chosen, motor, **options)

    def heal(self) -> None:
        """Undo every fault that can be undone."""
        self._faults.clear()
        self._dark_until = None
        self._supply(None)
        for servo in self.servos.values():
            servo.gone = False

    def _break(self, kind: str, chosen: list[Servo], motor: str | None, number: int = 0) -> None:
        if kind == "gone":
            for servo in chosen:
                servo.gone = True
        elif kind == "only":
            for servo in self.servos.values():
                servo.gone = motor not in (None, servo.name)
        elif kind == "overload":
            for servo in chosen:
                servo.trip()
        elif kind in ("id", "model"):
            for servo in chosen:
                servo.memory.burn("ID" if kind == "id" else "Model_Number", number)
        else:
            known = (*ON_THE_LINE, "gone", "only", "overload", "brownout", "id", "model", "clear", "frozen", "missing")
            raise ValueError(f"there is no fault {kind!r}; faults are {', '.join(known)}")

    def _brown_out(self, now: float, volts: float = 3.0, seconds: float = 0.5) -> None:
        self._dark_until = now + seconds
        self._supply(volts)

    def _supply(self, volts: float | None) -> None:
        for servo in self.servos.values():
            servo.supply(servo.nominal if volts is None else volts)

    def _chosen(self, motor: str | None) -> list[Servo]:
        if motor is None:
            return list(self.servos.values())
        if motor not in self.servos:
            raise ValueError(f"there is no motor {motor!r}; motors are {', '.join(self.servos)}")
        return [self.servos[motor]]


def _line_fault(kind: str, motor: str | None, count: int = 1, seconds: float = 0.1) -> Fault:
    return Fault(kind, count, motor, seconds)
