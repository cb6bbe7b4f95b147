"""The STS3215's control table with the values it leaves the factory with (vendor's memory table)."""

from __future__ import annotations

from .table import Register, Table


def _stored(name: str, address: int, size: int, default: int = 0, sign: int | None = None) -> Register:
    return Register(name, address, size, default, sign, stored=True)


def _fixed(name: str, address: int, size: int, default: int = 0, sign: int | None = None) -> Register:
    return Register(name, address, size, default, sign, writable=False)


STS = Table.of(
    _fixed("Firmware_Major_Version", 0, 1, 3),
    _fixed("Firmware_Minor_Version", 1, 1, 10),
    _fixed("Model_Number", 3, 2, 777),
    _stored("ID", 5, 1, 1),
    _stored("Baud_Rate", 6, 1, 0),
    _stored("Return_Delay_Time", 7, 1, 250),
    _stored("Response_Status_Level", 8, 1, 1),
    _stored("Min_Position_Limit", 9, 2, 0),
    _stored("Max_Position_Limit", 11, 2, 4095),
    _stored("Max_Temperature_Limit", 13, 1, 70),
    _stored("Max_Voltage_Limit", 14, 1, 80),
    _stored("Min_Voltage_Limit", 15, 1, 40),
    _stored("Max_Torque_Limit", 16, 2, 1000),
    _stored("Phase", 18, 1, 12),
    _stored("Unloading_Condition", 19, 1, 44),
    _stored("LED_Alarm_Condition", 20, 1, 47),
    _stored("P_Coefficient", 21, 1, 32),
    _stored("D_Coefficient", 22, 1, 32),
    _stored("I_Coefficient", 23, 1, 0),
    _stored("Minimum_Startup_Force", 24, 2, 16),
    _stored("CW_Dead_Zone", 26, 1, 1),
    _stored("CCW_Dead_Zone", 27, 1, 1),
    _stored("Protection_Current", 28, 2, 500),
    _stored("Angular_Resolution", 30, 1, 1),
    _stored("Homing_Offset", 31, 2, 0, sign=11),
    _stored("Operating_Mode", 33, 1, 0),
    _stored("Protective_Torque", 34, 1, 20),
    _stored("Protection_Time", 35, 1, 200),
    _stored("Overload_Torque", 36, 1, 80),
    _stored("Velocity_closed_loop_P_proportional_coefficient", 37, 1, 10),
    _stored("Over_Current_Protection_Time", 38, 1, 200),
    _stored("Velocity_closed_loop_I_integral_coefficient", 39, 1, 200),
    Register("Torque_Enable", 40, 1),
    Register("Acceleration", 41, 1),
    Register("Goal_Position", 42, 2, sign=15),
    Register("Goal_Time", 44, 2),
    Register("Goal_Velocity", 46, 2, sign=15),
    Register("Torque_Limit", 48, 2, 1000),
    Register("Lock", 55, 1, 1),
    _fixed("Present_Position", 56, 2, sign=15),
    _fixed("Present_Velocity", 58, 2, sign=15),
    _fixed("Present_Load", 60, 2, sign=10),
    _fixed("Present_Voltage", 62, 1),
    _fixed("Present_Temperature", 63, 1),
    _fixed("Status", 65, 1),
    _fixed("Moving", 66, 1),
    _fixed("Present_Current", 69, 2),
    _fixed("Goal_Position_2", 71, 2, sign=15),
    _stored("Moving_Velocity", 80, 1, 1),
    _stored("DTs", 81, 1, 1),
    _stored("Velocity_Unit_factor", 82, 1, 1),
    _stored("Hts", 83, 1, 32),
    _stored("Maximum_Velocity_Limit", 84, 1, 254),
    _stored("Maximum_Acceleration", 85, 1, 254),
    _stored("Acceleration_Multiplier", 86, 1, 1),
)

MODELS = {"sts3215": 777, "sts3250": 2825, "sm8512bl": 11272}
"""Model names with this table, and the number each answers with."""

BAUDS = (1_000_000, 500_000, 250_000, 128_000, 115_200, 57_600, 38_400, 19_200)
"""Bits a second, by the code in Baud_Rate."""
