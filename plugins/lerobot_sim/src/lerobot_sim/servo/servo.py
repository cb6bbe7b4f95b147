"""What every emulated servo has in common, whatever its control table and protocol."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from .drive import STEPS, Drive
from .memory import Memory
from .table import Register, Table

BROWN_OUT = 4.5
"""Volts under which the servo's processor stops; back above it, it starts as after a power cycle."""
AMBIENT, HEATING, WARM_UP_S = 30.0, 45.0, 90.0
"""Degrees C at rest, the rise at full effort, and the time constant of getting there."""


class Servo:
    """A servo on a bus: registers that behave, driving one shaft.

    Args:
        name: the joint's, for logs and faults.
        table: its control table.
        defaults: register -> factory value, where it differs from the table's.
        volts: the supply.
        drive: the motor, where it is part of something; else one of its own.
    """

    def __init__(
        self, name: str, table: Table, defaults: Mapping[str, int], volts: float, drive: Drive | None = None
    ) -> None:
        self.name = name
        self.memory = Memory(table, dict(defaults))
        self.drive = drive or Drive()
        self.gone = False
        self.nominal = self.volts = volts
        self.temperature = AMBIENT
        self.on_goal: Callable[[str, int], None] = lambda name, raw: None
        self._staged: tuple[int, bytes] | None = None
        self._powered = True

    @property
    def id(self) -> int:
        """On the bus."""
        return self.memory["ID"]

    @property
    def baud(self) -> int:
        """Bits a second it listens at, 0 for a code that means nothing."""
        raise NotImplementedError

    @property
    def reply_delay(self) -> float:
        """Seconds between a request and its answer."""
        raise NotImplementedError

    @property
    def answers(self) -> bool:
        """It is plugged in and has power."""
        return self._powered and not self.gone

    def read(self, address: int, length: int) -> bytes:
        """Registers as they are now."""
        self.refresh()
        return self.memory.read(address, length)

    def write(self, address: int, data: bytes) -> None:
        """Registers the host sets; what is protected stays as it was."""
        for name in self.memory.write(address, data, self.unlocked):
            self.written(name)

    def stage(self, address: int, data: bytes) -> None:
        """Keep a write until `act`."""
        self._staged = (address, data)

    def act(self) -> None:
        """Carry out the staged write."""
        if self._staged is not None:
            staged, self._staged = self._staged, None
            self.write(*staged)

    def unlocked(self, register: Register) -> bool:
        """May the host write it now?"""
        raise NotImplementedError

    def written(self, name: str) -> None:
        """The host has changed a register."""
        raise NotImplementedError

    def refresh(self) -> None:
        """Bring the Present_* registers up to date."""
        raise NotImplementedError

    def tick(self, dt: float) -> None:
        """`dt` seconds have passed: warm up, and look whether protection must trip."""
        target = AMBIENT + HEATING * self.drive.effort**2
        self.temperature += (target - self.temperature) * min(1.0, dt / WARM_UP_S)

    def trip(self) -> None:
        """Overload protection."""
        raise NotImplementedError

    def supply(self, volts: float) -> None:
        """The supply now gives `volts`; too little stops the servo, and power that comes back starts it afresh."""
        self.volts = volts
        if volts < BROWN_OUT and self._powered:
            self._powered = False
            self.release()
        elif volts >= BROWN_OUT and not self._powered:
            self._powered = True
            self.restart()

    def restart(self) -> None:
        """As after a power cycle: only stored registers are left, torque is off."""
        self.memory.power_cycle()
        self.release()

    def release(self) -> None:
        """Torque off."""
        self.drive.torque = False
        self.drive.changed = True

    def nearest(self, goal: int) -> float:
        """The shaft's position, through full turns, at which `goal` (as the host counts) is in the present turn."""
        offset = self.offset
        turns = (self.drive.position - offset) // STEPS
        return goal + offset + turns * STEPS

    @property
    def offset(self) -> int:
        """Encoder steps at which the host reads zero."""
        raise NotImplementedError
