"""Bus: several servos on one serial line. Raw/unit conversion is not here but in `lerobot_core.arm`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

from ..clock import Clock

Norm = Literal["degrees", "range_m100_100", "range_0_100"]


@dataclass(frozen=True, slots=True)
class Motor:
    """One servo: its id on the bus, its model (`"sts3215"`) and how its position is expressed."""

    id: int
    model: str
    norm: Norm


@dataclass(frozen=True, slots=True)
class MotorHealth:
    """What one servo says of itself.

    Attributes:
        id, model, firmware: who it is.
        voltage: of its supply, volts.
        temperature: degrees Celsius.
        errors: what it complains about, in words (`"overload"`, `"voltage"`).
        lost: answers that did not come since the bus was opened, also those that a retry brought.
    """

    id: int
    model: str
    firmware: str
    voltage: float
    temperature: float
    errors: tuple[str, ...] = ()
    lost: int = 0


@dataclass(frozen=True, slots=True)
class FoundMotor:
    """A servo that answered a call to everybody."""

    id: int
    model: str
    baud: int


@runtime_checkable
class Bus(Protocol):
    """Registers are named as in the vendor's control table, values are raw signed integers."""

    def open(self, port: str, motors: Mapping[str, Motor], clock: Clock) -> None:
        """Open the port and check every motor's presence and model, reading only.

        Raises:
            BusError: naming the port or the motor, closed again before raising.
        """

    @property
    def is_open(self) -> bool:
        """True between `open` and `close`."""

    def ping(self, motor: str) -> int | None:
        """The motor's model number, None when it does not answer."""

    def read(self, register: str, motor: str) -> int:
        """One register of one motor."""

    def write(self, register: str, motor: str, value: int, eeprom: bool = False) -> None:
        """Write and confirm one register; `eeprom` unlocks it first where the servo wants that."""

    def sync_read(self, register: str, motors: Sequence[str] | None = None) -> dict[str, int]:
        """One register of all (or the named) motors in one exchange, retried within the budget.

        Raises:
            BusError: naming the first motor that kept silent, with the count of failures in a row.
        """

    def sync_write(self, register: str, values: Mapping[str, int]) -> None:
        """One register of several motors in one packet; no answer is waited for."""

    @property
    def complaints(self) -> Mapping[str, tuple[str, ...]]:
        """What motors said is wrong with them when they last answered, in words; those without a complaint are not in it."""

    def health(self, motor: str) -> MotorHealth:
        """Ask one motor how it is."""

    def close(self) -> None:
        """Close the port. Idempotent; leaves torque as it is."""


@runtime_checkable
class MotorSetup(Protocol):
    """A bus that can also give ids to new motors; neither method wants the bus open."""

    def scan(self, port: str, clock: Clock) -> list[FoundMotor]:
        """Who answers, at whatever baud rate: the first rate at which somebody does.

        Raises:
            BusError: the port cannot be opened, or answers collide (several motors with one id).
        """

    def assign(self, port: str, found: FoundMotor, id: int, clock: Clock) -> None:
        """Give a motor another id and the customary baud rate, kept without power.

        Raises:
            BusError: it did not take them.
        """
