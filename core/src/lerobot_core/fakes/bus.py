"""A bus whose servos are a dictionary."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from ..clock import Clock
from ..contracts.bus import Motor, MotorHealth
from ..errors import BusError
from .config import FakeBusConfig

MODEL_NUMBER = 1


class Write(NamedTuple):
    """One register that was written."""

    register: str
    motor: str
    value: int


class FakeBus:
    """Registers begin at 0, `Present_Position` at 2048; it follows `Goal_Position` while `Torque_Enable` is not 0.

    Attributes:
        registers: motor -> register -> raw value.
        writes: every write, for tests.
    """

    def __init__(self, config: FakeBusConfig) -> None:
        self.registers: dict[str, dict[str, int]] = {}
        self.writes: list[Write] = []
        self._silent = frozenset(config.silent)
        self._failures = 0
        self._open = False

    @property
    def is_open(self) -> bool:
        """True between `open` and `close`."""
        return self._open

    def open(self, port: str, motors: Mapping[str, Motor], clock: Clock) -> None:
        """Any port will do; a silent motor is refused by name."""
        for name in motors:
            self.registers.setdefault(name, {"Model_Number": MODEL_NUMBER, "Present_Position": 2048})
            if name in self._silent:
                raise BusError(f"motor {name!r} on {port} does not answer", "it is configured to be silent", motor=name)
        self._open = True

    def ping(self, motor: str) -> int | None:
        """1, or None for a silent motor."""
        self._require_open()
        return None if motor in self._silent else self._motor(motor)["Model_Number"]

    def read(self, register: str, motor: str) -> int:
        """One register."""
        return self.sync_read(register, (motor,))[motor]

    def write(self, register: str, motor: str, value: int, eeprom: bool = False) -> None:
        """One register; every register is as good as EEPROM here."""
        self._answer(motor)
        self.sync_write(register, {motor: value})

    def sync_read(self, register: str, motors: Sequence[str] | None = None) -> dict[str, int]:
        """One register of the named motors, or of all."""
        self._require_open()
        names = tuple(self.registers) if motors is None else motors
        return {name: self._answer(name).get(register, 0) for name in names}

    def sync_write(self, register: str, values: Mapping[str, int]) -> None:
        """One register of several motors."""
        self._require_open()
        for name, value in values.items():
            motor = self._motor(name)
            motor[register] = value
            self.writes.append(Write(register, name, value))
            if motor.get("Torque_Enable") and register == "Goal_Position":
                motor["Present_Position"] = value

    @property
    def complaints(self) -> Mapping[str, tuple[str, ...]]:
        """They are never unwell."""
        return {}

    def health(self, motor: str) -> MotorHealth:
        """The picture of it."""
        self._answer(motor)
        return MotorHealth(list(self.registers).index(motor) + 1, "fake", "1.0", 12.0, 25.0)

    def close(self) -> None:
        """Registers stay, as a servo's do."""
        self._open = False

    def _answer(self, motor: str) -> dict[str, int]:
        if motor in self._silent:
            self._failures += 1
            raise BusError(f"motor {motor!r} does not answer", motor=motor, count=self._failures)
        return self._motor(motor)

    def _motor(self, motor: str) -> dict[str, int]:
        if motor not in self.registers:
            raise BusError(f"no motor {motor!r} on this bus", f"known: {', '.join(self.registers)}", motor=motor)
        return self.registers[motor]

    def _require_open(self) -> None:
        if not self._open:
            raise BusError("the fake bus is not open", "", "call open() first")
