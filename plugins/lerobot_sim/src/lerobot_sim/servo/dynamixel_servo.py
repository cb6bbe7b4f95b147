"""A Dynamixel X-series servo: what its registers do."""

from __future__ import annotations

import math
from collections.abc import Mapping

from .drive import STEPS, Drive
from .dynamixel_table import ALLOWED, BAUDS, MODELS, X_SERIES
from .servo import Servo
from .table import Register

RANGE, LENGTH, LIMIT, ACCESS = 4, 5, 6, 7
"""Error numbers of a status packet, for a write that is not carried out."""
VOLTAGE, HEAT, OVERLOAD = 1, 4, 32
"""Bits of Hardware_Error_Status and of Shutdown."""
VELOCITY, POSITION, EXTENDED, CURRENT_POSITION = 1, 3, 4, 5
"""Values of Operating_Mode that matter here; in the others the shaft stays at rest."""
VELOCITY_UNIT = 0.229 / 60 * STEPS
"""Steps/s in one unit of every velocity (0.229 rpm)."""
ACCELERATION_UNIT = 214.577 / 3600 * STEPS
"""Steps/s² in one unit of Profile_Acceleration (214.577 turns/min²)."""
REVERSE = 1
"""Bit of Drive_Mode: the shaft counts the other way round."""
SINGLE_TURN_OFFSET = 1024
"""A larger Homing_Offset is ignored in position mode."""
OVERLOAD_S = 1.0
"""How long full effort is borne."""


class DynamixelServo(Servo):
    """One X-series servo.

    Args:
        name: the joint's.
        model: a key of `MODELS`.
        values: register -> value it comes with (`ID`, `Baud_Rate`, …).
        drive: the motor, where it is part of something.

    Raises:
        KeyError: a model or a register that does not exist.
    """

    def __init__(self, name: str, model: str, values: Mapping[str, int], drive: Drive | None = None) -> None:
        self.model = MODELS[model]
        defaults = {**self.model.values, "Model_Number": self.model.number, **values}
        self._dropped = 0
        self._latched = 0
        self._overloaded_for = 0.0
        super().__init__(name, X_SERIES, defaults, self.model.volts, drive)
        self._to_one_turn()
        self._tune()

    @property
    def baud(self) -> int:
        """Bits a second."""
        return BAUDS[self.memory["Baud_Rate"]]

    @property
    def reply_delay(self) -> float:
        """Return_Delay_Time counts 2 µs."""
        return self.memory["Return_Delay_Time"] * 2e-6

    @property
    def returns(self) -> int:
        """Status_Return_Level: 0 answers pings, 1 reads too, 2 everything."""
        return self.memory["Status_Return_Level"]

    @property
    def hardware_error(self) -> int:
        """What is wrong now, or was and stopped the servo until its next start."""
        tenths = self._tenths_of_a_volt()
        low, high = self.memory["Min_Voltage_Limit"], self.memory["Max_Voltage_Limit"]
        return self._latched | (0 if low <= tenths <= high else VOLTAGE)

    @property
    def offset(self) -> int:
        """Present_Position = what the shaft counts + Homing_Offset."""
        offset = self.memory["Homing_Offset"]
        return 0 if self.memory["Operating_Mode"] == POSITION and abs(offset) > SINGLE_TURN_OFFSET else offset

    def refusal(self, address: int, data: bytes) -> int:
        """The error number with which a write is turned down, 0 for one that will be carried out."""
        rows = self.memory.table.touching(address, len(data))
        if not rows or not all(row.writable for row in rows):
            return ACCESS
        if not all(self.unlocked(row) for row in rows):
            return ACCESS
        end = address + len(data)
        if any(row.address < address or row.address + row.size > end for row in rows):
            return LENGTH
        values = {row.name: row.decode(data[row.address - address :][: row.size]) for row in rows}
        return next((code for name, value in values.items() if (code := self._judge(name, value))), 0)

    def write(self, address: int, data: bytes) -> None:
        """All of it or, when any of it is turned down, nothing."""
        if not self.refusal(address, data):
            super().write(address, data)

    def stage(self, address: int, data: bytes) -> None:
        """Keep a write until `act`."""
        super().stage(address, data)
        self.memory["Registered_Instruction"] = 1

    def act(self) -> None:
        """Carry out the staged write."""
        super().act()
        self.memory["Registered_Instruction"] = 0

    def unlocked(self, register: Register) -> bool:
        """What is kept without power wants torque off."""
        return not register.stored or self.memory["Torque_Enable"] == 0

    def written(self, name: str) -> None:
        """Torque, goals and settings take effect."""
        if name == "Torque_Enable":
            self._switch(self.memory["Torque_Enable"] == 1)
        elif name in ("Operating_Mode", "Drive_Mode") and self.memory["Operating_Mode"] == POSITION:
            self._to_one_turn()
        elif name == "Goal_Position":
            self.on_goal(self.name, self.memory["Goal_Position"])
            self._aim()
        elif name == "Goal_Velocity" and self.memory["Operating_Mode"] == VELOCITY:
            speed = self.memory["Goal_Velocity"] * self._sign
            self.drive.goal = math.copysign(1e9, speed) if speed else self.drive.position
        self._tune()

    def refresh(self) -> None:
        """Fill in what the servo measures."""
        drive, memory, sign = self.drive, self.memory, self._sign
        memory["Present_Position"] = self._present()
        memory["Present_Velocity"] = round(sign * drive.velocity / VELOCITY_UNIT)
        memory["Present_PWM"] = round(sign * drive.effort * 885)
        memory["Present_Current"] = round(sign * drive.effort * (self.model.stall or 1000))
        memory["Present_Input_Voltage"] = self._tenths_of_a_volt()
        memory["Present_Temperature"] = round(self.temperature)
        memory["Moving"] = int(abs(drive.velocity) / VELOCITY_UNIT > memory["Moving_Threshold"])
        memory["Hardware_Error_Status"] = self.hardware_error

    def tick(self, dt: float) -> None:
        """Warm up; stop on overload and heat."""
        super().tick(dt)
        self._overloaded_for = self._overloaded_for + dt if abs(self.drive.effort) >= 0.99 else 0.0
        if self._overloaded_for >= OVERLOAD_S:
            self._fail(OVERLOAD)
        if self.temperature > self.memory["Temperature_Limit"]:
            self._fail(HEAT)

    def trip(self) -> None:
        """Overload: torque goes off and stays off until the servo is started afresh."""
        self._fail(OVERLOAD)

    def release(self) -> None:
        """Torque off."""
        super().release()
        self.memory["Torque_Enable"] = 0

    def restart(self) -> None:
        """As after a power cycle: errors are forgotten, and the count starts inside one turn."""
        super().restart()
        self._latched, self._overloaded_for = 0, 0.0
        self.memory["Goal_PWM"] = self.memory["PWM_Limit"]
        self.memory["Goal_Current"] = self.memory["Current_Limit"]
        self._to_one_turn()
        self._tune()

    def _judge(self, name: str, value: int) -> int:
        low, high = ALLOWED.get(name, (value, value))
        if not low <= value <= high or (name == "Operating_Mode" and value not in self.model.modes):
            return RANGE
        if name == "Torque_Enable" and value and self._latched:
            return ACCESS
        single = name == "Goal_Position" and self.memory["Operating_Mode"] == POSITION
        if single and not self.memory["Min_Position_Limit"] <= value <= self.memory["Max_Position_Limit"]:
            return LIMIT
        return LIMIT if name == "Goal_Current" and abs(value) > self.memory["Current_Limit"] else 0

    def _fail(self, bit: int) -> None:
        self._latched |= bit
        if self.memory["Shutdown"] & bit:
            self.release()

    def _switch(self, on: bool) -> None:
        if on and not self.drive.torque:
            if self.memory["Operating_Mode"] == POSITION:
                self._to_one_turn()
            # Switched on, it holds where it is, whatever goal was written before.
            self.memory["Goal_Position"] = self._present()
            self.drive.goal = self.drive.position
        self.drive.torque = on

    def _aim(self) -> None:
        if self.drive.torque and self.memory["Operating_Mode"] in (POSITION, EXTENDED, CURRENT_POSITION):
            count = self.memory["Goal_Position"] - self.offset + self._dropped
            self.drive.goal = float(self._sign * count)

    def _tune(self) -> None:
        memory, drive = self.memory, self.drive
        drive.speed = memory["Profile_Velocity"] * VELOCITY_UNIT or math.inf
        drive.acceleration = memory["Profile_Acceleration"] * ACCELERATION_UNIT or math.inf
        drive.gain = memory["Position_P_Gain"] / self.model.values.get("Position_P_Gain", 800)
        drive.limit = memory["PWM_Limit"] / 885
        if memory["Operating_Mode"] == CURRENT_POSITION and self.model.stall:
            drive.limit = min(drive.limit, abs(memory["Goal_Current"]) / self.model.stall)
        drive.changed = True

    @property
    def _sign(self) -> int:
        return -1 if self.memory["Drive_Mode"] & REVERSE else 1

    def _count(self) -> int:
        """Steps since the shaft's own zero, through full turns."""
        return self._sign * math.floor(self.drive.position + 0.5)

    def _to_one_turn(self) -> None:
        """Forget full turns: what is left is 0..4095, to which the offset is added."""
        self._dropped = self._count() // STEPS * STEPS

    def _present(self) -> int:
        return self._count() - self._dropped + self.offset

    def _tenths_of_a_volt(self) -> int:
        return round(10 * (self.volts - 0.3 * abs(self.drive.effort)))
