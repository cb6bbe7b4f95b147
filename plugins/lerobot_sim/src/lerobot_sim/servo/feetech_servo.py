"""An STS servo: what its registers do."""

from __future__ import annotations

import math
from collections.abc import Mapping

from .drive import STEPS, Drive
from .feetech_table import BAUDS, MODELS, STS
from .servo import Servo
from .table import Register

VOLTAGE, SENSOR, HEAT, CURRENT, OVERLOAD = 1, 2, 4, 8, 32
"""Bits of the error byte that every answer carries, and of the Status register."""
CUSTOMARY_P = 16
"""P_Coefficient at which `Drive.gain` is 1; the factory's 32 makes an arm shake."""
STALL_CURRENT = 2.4
CURRENT_UNIT = 0.0065
"""Amperes at full effort, and in one unit of Present_Current."""
POSITION, VELOCITY = 0, 1
"""Values of Operating_Mode that move the shaft here; PWM (2) and step (3) leave it at rest."""


class FeetechServo(Servo):
    """One STS-series servo.

    Args:
        name: the joint's.
        model: a key of `MODELS`.
        values: register -> value it comes with (`ID`, `Homing_Offset`, …).
        volts: the supply.
        drive: the motor, where it is part of something.

    Raises:
        KeyError: a model or a register that does not exist.
    """

    def __init__(
        self, name: str, model: str, values: Mapping[str, int], volts: float = 7.4, drive: Drive | None = None
    ) -> None:
        super().__init__(name, STS, {"Model_Number": MODELS[model], **values}, volts, drive)
        self._overloaded_for = 0.0
        self._tripped = 0.0
        self._tune()

    @property
    def baud(self) -> int:
        """Bits a second, 0 for an unknown code."""
        code = self.memory["Baud_Rate"]
        return BAUDS[code] if code < len(BAUDS) else 0

    @property
    def reply_delay(self) -> float:
        """Return_Delay_Time counts 2 µs."""
        return self.memory["Return_Delay_Time"] * 2e-6

    @property
    def confirms(self) -> bool:
        """It answers writes too, not only reads and pings."""
        return self.memory["Response_Status_Level"] != 0

    @property
    def offset(self) -> int:
        """Present_Position = encoder - Homing_Offset."""
        return self.memory["Homing_Offset"]

    @property
    def error(self) -> int:
        """The error byte."""
        tenths = self._tenths_of_a_volt()
        low, high = self.memory["Min_Voltage_Limit"], self.memory["Max_Voltage_Limit"]
        bits = 0 if low <= tenths <= high else VOLTAGE
        bits |= HEAT if self.temperature > self.memory["Max_Temperature_Limit"] else 0
        return bits | (OVERLOAD if self._tripped else 0)

    def unlocked(self, register: Register) -> bool:
        """What is kept without power wants Lock = 0."""
        return not register.stored or self.memory["Lock"] == 0

    def written(self, name: str) -> None:
        """Torque, goals and settings take effect."""
        if name == "Torque_Enable":
            self._switch(self.memory["Torque_Enable"] != 0)
        elif name in {"Goal_Position", "Goal_Velocity"}:
            self._aim(name)
        self._tune()

    def refresh(self) -> None:
        """Fill in what the servo measures."""
        drive, memory = self.drive, self.memory
        memory["Present_Position"] = self._present()
        memory["Present_Velocity"] = round(drive.velocity)
        memory["Present_Load"] = round(1000 * drive.effort)
        memory["Present_Current"] = round(abs(drive.effort) * STALL_CURRENT / CURRENT_UNIT)
        memory["Present_Voltage"] = self._tenths_of_a_volt()
        memory["Present_Temperature"] = round(self.temperature)
        memory["Moving"] = int(abs(drive.velocity) > 10)
        memory["Status"] = self.error
        memory["Goal_Position_2"] = memory["Goal_Position"]

    def tick(self, dt: float) -> None:
        """Trip on overload, warm up."""
        super().tick(dt)
        over = abs(self.drive.effort) * 100 >= self.memory["Overload_Torque"]
        self._overloaded_for = self._overloaded_for + dt if over else 0.0
        if self._overloaded_for >= self.memory["Protection_Time"] * 0.01 and not self._tripped:
            self.trip()

    def trip(self) -> None:
        """Overload protection: from now on only Protective_Torque, until torque is switched or the goal turns round."""
        self._tripped = math.copysign(1.0, self.drive.effort)
        self._tune()

    def release(self) -> None:
        """Torque off, which also ends an overload."""
        super().release()
        self.memory["Torque_Enable"] = 0
        self._reset_protection()

    def restart(self) -> None:
        """As after a power cycle; the torque limit begins at its stored maximum."""
        super().restart()
        self.memory["Torque_Limit"] = self.memory["Max_Torque_Limit"]
        self._tune()

    def _switch(self, on: bool) -> None:
        if on and not self.drive.torque:
            # Switched on, it holds where it is, whatever goal was written before.
            self.memory["Goal_Position"] = self._present()
            self.drive.goal = self.drive.position
        self.drive.torque = on
        self._reset_protection()

    def _aim(self, name: str) -> None:
        mode = self.memory["Operating_Mode"]
        if name == "Goal_Position" and mode == POSITION:
            self.on_goal(self.name, self.memory["Goal_Position"])
            self.drive.goal = self.nearest(self._within_limits(self.memory["Goal_Position"]))
            if (self.drive.goal - self.drive.position) * self._tripped < 0:
                self._reset_protection()
        elif name == "Goal_Velocity" and mode == VELOCITY:
            speed = self.memory["Goal_Velocity"]
            self.drive.goal = math.copysign(1e9, speed) if speed else self.drive.position

    def _tune(self) -> None:
        memory, drive = self.memory, self.drive
        drive.speed = abs(memory["Goal_Velocity"]) or math.inf
        drive.acceleration = memory["Acceleration"] * 100.0 or math.inf
        drive.gain = memory["P_Coefficient"] / CUSTOMARY_P
        drive.limit = min(memory["Max_Torque_Limit"], memory["Torque_Limit"]) / 1000
        if self._tripped:
            drive.limit = min(drive.limit, memory["Protective_Torque"] / 100)
        drive.changed = True

    def _reset_protection(self) -> None:
        self._tripped = self._overloaded_for = 0.0

    def _present(self) -> int:
        steps = math.floor(self.drive.position + 0.5) - self.offset
        # Phase bit 4 lets the count run on through full turns.
        return steps if self.memory["Phase"] & 0x10 else steps % STEPS

    def _within_limits(self, goal: int) -> int:
        low, high = self.memory["Min_Position_Limit"], self.memory["Max_Position_Limit"]
        return min(max(goal, low), high) if high > low else goal

    def _tenths_of_a_volt(self) -> int:
        return round(10 * (self.volts - 0.3 * abs(self.drive.effort)))
