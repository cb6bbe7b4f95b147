"""The control table of Dynamixel's X series, with the values its servos leave the factory with (vendor's e-manual)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from .table import TWOS, Register, Table


def _stored(name: str, address: int, size: int, default: int = 0, sign: int | None = None) -> Register:
    return Register(name, address, size, default, sign, stored=True)


def _fixed(name: str, address: int, size: int, default: int = 0, sign: int | None = None) -> Register:
    return Register(name, address, size, default, sign, writable=False)


X_SERIES = Table.of(
    _fixed("Model_Number", 0, 2),
    _fixed("Model_Information", 2, 4),
    _fixed("Firmware_Version", 6, 1, 50),
    _stored("ID", 7, 1, 1),
    _stored("Baud_Rate", 8, 1, 1),
    _stored("Return_Delay_Time", 9, 1, 250),
    _stored("Drive_Mode", 10, 1, 0),
    _stored("Operating_Mode", 11, 1, 3),
    _stored("Secondary_ID", 12, 1, 255),
    _stored("Protocol_Type", 13, 1, 2),
    _stored("Homing_Offset", 20, 4, 0, TWOS),
    _stored("Moving_Threshold", 24, 4, 10),
    _stored("Temperature_Limit", 31, 1, 72),
    _stored("Max_Voltage_Limit", 32, 2, 160),
    _stored("Min_Voltage_Limit", 34, 2, 95),
    _stored("PWM_Limit", 36, 2, 885),
    _stored("Current_Limit", 38, 2, 1193),
    _stored("Acceleration_Limit", 40, 4, 32767),
    _stored("Velocity_Limit", 44, 4, 415),
    _stored("Max_Position_Limit", 48, 4, 4095),
    _stored("Min_Position_Limit", 52, 4, 0),
    _stored("Shutdown", 63, 1, 52),
    Register("Torque_Enable", 64, 1),
    Register("LED", 65, 1),
    Register("Status_Return_Level", 68, 1, 2),
    _fixed("Registered_Instruction", 69, 1),
    _fixed("Hardware_Error_Status", 70, 1),
    Register("Velocity_I_Gain", 76, 2, 1920),
    Register("Velocity_P_Gain", 78, 2, 100),
    Register("Position_D_Gain", 80, 2),
    Register("Position_I_Gain", 82, 2),
    Register("Position_P_Gain", 84, 2, 800),
    Register("Feedforward_2nd_Gain", 88, 2),
    Register("Feedforward_1st_Gain", 90, 2),
    Register("Bus_Watchdog", 98, 1),
    Register("Goal_PWM", 100, 2, 885, TWOS),
    Register("Goal_Current", 102, 2, 1193, TWOS),
    Register("Goal_Velocity", 104, 4, 0, TWOS),
    Register("Profile_Acceleration", 108, 4),
    Register("Profile_Velocity", 112, 4),
    Register("Goal_Position", 116, 4, 0, TWOS),
    _fixed("Realtime_Tick", 120, 2),
    _fixed("Moving", 122, 1),
    _fixed("Moving_Status", 123, 1),
    _fixed("Present_PWM", 124, 2, 0, TWOS),
    _fixed("Present_Current", 126, 2, 0, TWOS),
    _fixed("Present_Velocity", 128, 4, 0, TWOS),
    _fixed("Present_Position", 132, 4, 0, TWOS),
    _fixed("Velocity_Trajectory", 136, 4),
    _fixed("Position_Trajectory", 140, 4),
    _fixed("Present_Input_Voltage", 144, 2),
    _fixed("Present_Temperature", 146, 1),
)

ALLOWED: dict[str, tuple[int, int]] = {
    "ID": (0, 252),
    "Baud_Rate": (0, 7),
    "Return_Delay_Time": (0, 254),
    "Homing_Offset": (-1_044_479, 1_044_479),
    "PWM_Limit": (0, 885),
    "Min_Position_Limit": (0, 4095),
    "Max_Position_Limit": (0, 4095),
    "Torque_Enable": (0, 1),
    "LED": (0, 1),
    "Status_Return_Level": (0, 2),
    "Position_P_Gain": (0, 16_383),
    "Position_I_Gain": (0, 16_383),
    "Position_D_Gain": (0, 16_383),
    "Goal_Position": (-1_048_575, 1_048_575),
}
"""Lowest and highest value a register takes; one that is not named takes whatever fits."""

BAUDS = (9_600, 57_600, 115_200, 1_000_000, 2_000_000, 3_000_000, 4_000_000, 4_500_000)
"""Bits a second, by the code in Baud_Rate."""


class Model(NamedTuple):
    """What one model does not share with the others.

    Attributes:
        number: its Model_Number.
        volts: its usual supply.
        stall: current at full effort, mA; 0 for one that cannot measure or limit current.
        values: register -> factory value.
    """

    number: int
    volts: float
    stall: int
    values: Mapping[str, int]

    @property
    def modes(self) -> frozenset[int]:
        """Values that Operating_Mode takes."""
        return frozenset({1, 3, 4, 16} | ({0, 5} if self.stall else set()))


_XL330 = {
    "Temperature_Limit": 70,
    "Max_Voltage_Limit": 70,
    "Min_Voltage_Limit": 35,
    "Current_Limit": 1750,
    "Goal_Current": 1750,
    "Velocity_Limit": 445,
    "Position_P_Gain": 400,
    "Shutdown": 53,
}
_XL430 = {
    "Max_Voltage_Limit": 140,
    "Min_Voltage_Limit": 65,
    "Velocity_Limit": 265,
    "Current_Limit": 0,
    "Goal_Current": 0,
}

MODELS: dict[str, Model] = {
    "xl330-m077": Model(1190, 5.0, 1470, {**_XL330, "Velocity_Limit": 1620}),
    "xl330-m288": Model(1200, 5.0, 1470, _XL330),
    "xc330-t181": Model(
        1210, 12.0, 800, {**_XL330, "Max_Voltage_Limit": 155, "Current_Limit": 910, "Goal_Current": 910}
    ),
    "xc330-t288": Model(
        1220, 12.0, 800, {**_XL330, "Max_Voltage_Limit": 155, "Current_Limit": 910, "Goal_Current": 910}
    ),
    "xl430-w250": Model(1060, 12.0, 0, _XL430),
    "xc430-w150": Model(1070, 12.0, 0, _XL430),
    "xm430-w350": Model(1020, 12.0, 2300, {}),
    "xh540-w150": Model(1110, 12.0, 4900, {"Current_Limit": 2047, "Goal_Current": 2047}),
    "xm540-w270": Model(1120, 12.0, 4400, {"Current_Limit": 2047, "Goal_Current": 2047}),
}
"""By the name that a motor is declared with."""
