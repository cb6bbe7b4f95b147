"""The X series' control table, model numbers, baud codes and what its error numbers mean (vendor's e-manual)."""

from __future__ import annotations

from typing import NamedTuple


class Register(NamedTuple):
    """Where a register lies.

    Attributes:
        address, size: bytes, least significant first.
        signed: two's complement.
    """

    address: int
    size: int
    signed: bool = False

    def encode(self, value: int) -> bytes:
        """The bytes of `value`.

        Raises:
            ValueError: it does not fit.
        """
        bits = 8 * self.size
        low, high = (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) if self.signed else (0, (1 << bits) - 1)
        if not low <= value <= high:
            raise ValueError(f"{value} is outside {low}..{high}")
        return value.to_bytes(self.size, "little", signed=self.signed)

    def decode(self, data: bytes) -> int:
        """The value of `size` bytes."""
        return int.from_bytes(data, "little", signed=self.signed)


X_SERIES = {
    "Model_Number": Register(0, 2),
    "Model_Information": Register(2, 4),
    "Firmware_Version": Register(6, 1),
    "ID": Register(7, 1),
    "Baud_Rate": Register(8, 1),
    "Return_Delay_Time": Register(9, 1),
    "Drive_Mode": Register(10, 1),
    "Operating_Mode": Register(11, 1),
    "Secondary_ID": Register(12, 1),
    "Protocol_Type": Register(13, 1),
    "Homing_Offset": Register(20, 4, True),
    "Moving_Threshold": Register(24, 4),
    "Temperature_Limit": Register(31, 1),
    "Max_Voltage_Limit": Register(32, 2),
    "Min_Voltage_Limit": Register(34, 2),
    "PWM_Limit": Register(36, 2),
    "Current_Limit": Register(38, 2),
    "Acceleration_Limit": Register(40, 4),
    "Velocity_Limit": Register(44, 4),
    "Max_Position_Limit": Register(48, 4),
    "Min_Position_Limit": Register(52, 4),
    "Shutdown": Register(63, 1),
    "Torque_Enable": Register(64, 1),
    "LED": Register(65, 1),
    "Status_Return_Level": Register(68, 1),
    "Registered_Instruction": Register(69, 1),
    "Hardware_Error_Status": Register(70, 1),
    "Velocity_I_Gain": Register(76, 2),
    "Velocity_P_Gain": Register(78, 2),
    "Position_D_Gain": Register(80, 2),
    "Position_I_Gain": Register(82, 2),
    "Position_P_Gain": Register(84, 2),
    "Feedforward_2nd_Gain": Register(88, 2),
    "Feedforward_1st_Gain": Register(90, 2),
    "Bus_Watchdog": Register(98, 1),
    "Goal_PWM": Register(100, 2, True),
    "Goal_Current": Register(102, 2, True),
    "Goal_Velocity": Register(104, 4, True),
    "Profile_Acceleration": Register(108, 4),
    "Profile_Velocity": Register(112, 4),
    "Goal_Position": Register(116, 4, True),
    "Realtime_Tick": Register(120, 2),
    "Moving": Register(122, 1),
    "Moving_Status": Register(123, 1),
    "Present_PWM": Register(124, 2, True),
    "Present_Current": Register(126, 2, True),
    "Present_Velocity": Register(128, 4, True),
    "Present_Position": Register(132, 4, True),
    "Velocity_Trajectory": Register(136, 4),
    "Position_Trajectory": Register(140, 4),
    "Present_Input_Voltage": Register(144, 2),
    "Present_Temperature": Register(146, 1),
}

MODELS = {
    "xl330-m077": 1190,
    "xl330-m288": 1200,
    "xc330-t181": 1210,
    "xc330-t288": 1220,
    "xl430-w250": 1060,
    "xc430-w150": 1070,
    "xm430-w350": 1020,
    "xh540-w150": 1110,
    "xm540-w270": 1120,
}
"""Models with this table, and the number each answers with."""
NAMES = {number: name for name, number in MODELS.items()}

BAUD_CODES = {
    1_000_000: 3,
    57_600: 1,
    115_200: 2,
    2_000_000: 4,
    3_000_000: 5,
    4_000_000: 6,
    9_600: 0,
}
"""Rates at which a motor may listen: the customary one first, then the factory's."""

ALERT = 0x80
"""Bit of an answer's error byte: Hardware_Error_Status is not zero."""
_REFUSALS = {
    1: "it could not carry it out",
    2: "it does not know this instruction",
    3: "the request reached it garbled",
    4: "the value is out of its range",
    5: "the value has the wrong length",
    6: "the value is beyond a limit that is set in it",
    7: "the register is read-only, or locked while torque is on",
}
_ERRORS = {1: "voltage", 4: "overheating", 8: "encoder", 16: "electrical shock", 32: "overload"}


def refusal(error: int) -> str:
    """Why a motor did not do as told, "" when it did; `error` is an answer's error byte."""
    number = error & ~ALERT
    return _REFUSALS.get(number, f"error {number}") if number else ""


def in_words(status: int) -> tuple[str, ...]:
    """Hardware_Error_Status; a bit without a meaning is named by its number."""
    return tuple(_ERRORS.get(1 << bit, f"error bit {bit}") for bit in range(8) if status >> bit & 1)
