"""The STS/SMS control table, model numbers, baud codes and error bits (vendor's memory table)."""

from __future__ import annotations

from typing import NamedTuple


class Register(NamedTuple):
    """Where a register lies.

    Attributes:
        address, size: bytes, least significant first.
        sign: index of the sign bit of a sign-and-magnitude value, None for an unsigned one.
    """

    address: int
    size: int
    sign: int | None = None

    @property
    def most(self) -> int:
        """The largest magnitude it can hold."""
        return (1 << (8 * self.size if self.sign is None else self.sign)) - 1

    def encode(self, value: int) -> bytes:
        """The bytes of `value`.

        Raises:
            ValueError: it does not fit.
        """
        low = 0 if self.sign is None else -self.most
        if not low <= value <= self.most:
            raise ValueError(f"{value} is outside {low}..{self.most}")
        raw = abs(value) | (1 << self.sign if self.sign is not None and value < 0 else 0)
        return raw.to_bytes(self.size, "little")

    def decode(self, data: bytes) -> int:
        """The value of `size` bytes."""
        raw = int.from_bytes(data, "little")
        if self.sign is None:
            return raw
        magnitude = raw & self.most
        return -magnitude if raw >> self.sign & 1 else magnitude


STS = {
    "Firmware_Major_Version": Register(0, 1),
    "Firmware_Minor_Version": Register(1, 1),
    "Model_Number": Register(3, 2),
    "ID": Register(5, 1),
    "Baud_Rate": Register(6, 1),
    "Return_Delay_Time": Register(7, 1),
    "Response_Status_Level": Register(8, 1),
    "Min_Position_Limit": Register(9, 2),
    "Max_Position_Limit": Register(11, 2),
    "Max_Temperature_Limit": Register(13, 1),
    "Max_Voltage_Limit": Register(14, 1),
    "Min_Voltage_Limit": Register(15, 1),
    "Max_Torque_Limit": Register(16, 2),
    "Phase": Register(18, 1),
    "Unloading_Condition": Register(19, 1),
    "LED_Alarm_Condition": Register(20, 1),
    "P_Coefficient": Register(21, 1),
    "D_Coefficient": Register(22, 1),
    "I_Coefficient": Register(23, 1),
    "Minimum_Startup_Force": Register(24, 2),
    "CW_Dead_Zone": Register(26, 1),
    "CCW_Dead_Zone": Register(27, 1),
    "Protection_Current": Register(28, 2),
    "Angular_Resolution": Register(30, 1),
    "Homing_Offset": Register(31, 2, 11),
    "Operating_Mode": Register(33, 1),
    "Protective_Torque": Register(34, 1),
    "Protection_Time": Register(35, 1),
    "Overload_Torque": Register(36, 1),
    "Velocity_P_Coefficient": Register(37, 1),
    "Over_Current_Protection_Time": Register(38, 1),
    "Velocity_I_Coefficient": Register(39, 1),
    "Torque_Enable": Register(40, 1),
    "Acceleration": Register(41, 1),
    "Goal_Position": Register(42, 2, 15),
    "Goal_Time": Register(44, 2),
    "Goal_Velocity": Register(46, 2, 15),
    "Torque_Limit": Register(48, 2),
    "Lock": Register(55, 1),
    "Present_Position": Register(56, 2, 15),
    "Present_Velocity": Register(58, 2, 15),
    "Present_Load": Register(60, 2, 10),
    "Present_Voltage": Register(62, 1),
    "Present_Temperature": Register(63, 1),
    "Status": Register(65, 1),
    "Moving": Register(66, 1),
    "Present_Current": Register(69, 2),
    "Goal_Position_2": Register(71, 2, 15),
    "Moving_Velocity": Register(80, 1),
    "DTs": Register(81, 1),
    "Velocity_Unit_factor": Register(82, 1),
    "Hts": Register(83, 1),
    "Maximum_Velocity_Limit": Register(84, 1),
    "Maximum_Acceleration": Register(85, 1),
    "Acceleration_Multiplier": Register(86, 1),
}

MODELS = {"sts3215": 777, "sts3250": 2825, "sm8512bl": 11272}
"""Models with this table, and the number each answers with."""
NAMES = {number: name for name, number in MODELS.items()} | {1284: "scs0009"}
"""What to call a motor that answers; the SCS series speaks protocol 1, which is not spoken here."""

BAUD_CODES = {
    1_000_000: 0,
    500_000: 1,
    250_000: 2,
    128_000: 3,
    115_200: 4,
    57_600: 5,
    38_400: 6,
    19_200: 7,
}
SCAN_BAUDS = (*BAUD_CODES, 14_400, 9_600, 4_800)
"""Rates at which a motor may listen, the customary one first."""

_ERRORS = {1: "voltage", 2: "sensor", 4: "overheating", 8: "over-current", 32: "overload"}


def in_words(error: int) -> tuple[str, ...]:
    """The error byte of an answer; a bit without a meaning is named by its number."""
    return tuple(_ERRORS.get(1 << bit, f"error bit {bit}") for bit in range(8) if error >> bit & 1)
