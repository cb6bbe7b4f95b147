"""An arm of three joints on a bus whose registers are dictionaries, and a person who does what is asked."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from lerobot_core.arm.follower import FollowerArm
from lerobot_core.arm.leader import LeaderArm
from lerobot_core.arm.profile import ArmProfile, FollowerConfig, LeaderConfig, Setting
from lerobot_core.clock import RealClock
from lerobot_core.contracts.bus import FoundMotor, Motor
from lerobot_core.errors import BusError
from lerobot_core.fakes.bus import FakeBus
from lerobot_core.fakes.config import FakeBusConfig
from lerobot_core.specs import Parts
from lerobot_core.types import Calibration, MotorCalibration

MOTORS = {
    "pan": Motor(1, "fake", "degrees"),
    "lift": Motor(2, "fake", "range_m100_100"),
    "gripper": Motor(3, "fake", "range_0_100"),
}
PROFILE = ArmProfile(
    bus="fake",
    motors=MOTORS,
    peer_name="bench",
    settings=(
        Setting("Acceleration", 254),
        Setting("P_Coefficient", 16, eeprom=True),
        Setting("Phase", 0, ("pan",), eeprom=True, mask=0x10),
    ),
    torque_on=(("Torque_Enable", 1), ("Lock", 1)),
    max_rate={"pan": 180.0, "lift": 150.0, "gripper": 200.0},
)
CALIBRATION: Calibration = {
    "pan": MotorCalibration(1, 0, -1470, 758, 3292),
    "lift": MotorCalibration(2, 0, 12, 1000, 3000),
    "gripper": MotorCalibration(3, 0, 300, 2000, 3500),
}
START = {"pan": 2048, "lift": 2000, "gripper": 2500}


class BenchBus(FakeBus):
    """Offsets count, and faults come on demand.

    Attributes:
        shaft: where the encoders are, apart from any offset.
        silent_for: motor -> reads it will not answer.
        unwell: motor -> what it complains of.
        loose: motors that answer a scan.
    """

    def __init__(self) -> None:
        super().__init__(FakeBusConfig())
        self.shaft = {name: START[name] + CALIBRATION[name].homing_offset for name in MOTORS}
        self.silent_for: dict[str, int] = {}
        self.unwell: dict[str, tuple[str, ...]] = {}
        self.loose: list[FoundMotor] = []
        self.assigned: list[int] = []
        self.gone = False
        for name, held in CALIBRATION.items():
            self.registers[name] = {
                "Model_Number": 1,
                "Homing_Offset": held.homing_offset,
                "Min_Position_Limit": held.range_min,
                "Max_Position_Limit": held.range_max,
                "Phase": 0x1C,
            }

    @property
    def complaints(self) -> dict[str, tuple[str, ...]]:
        return self.unwell

    def sync_read(self, register: str, motors: Any = None) -> dict[str, int]:
        self._check()
        for name in motors or list(self.registers):
            if self.silent_for.get(name, 0) > 0:
                self.silent_for[name] -= 1
                raise BusError(f"motor '{name}' does not answer", motor=name, count=1)
        found = super().sync_read(register, motors)
        if register == "Present_Position":
            return {name: self.shaft[name] - self.registers[name]["Homing_Offset"] for name in found}
        return found

    def sync_write(self, register: str, values: Any) -> None:
        self._check()
        super().sync_write(register, values)
        for name, value in values.items():
            if register == "Goal_Position" and self.registers[name].get("Torque_Enable"):
                self.shaft[name] = value + self.registers[name]["Homing_Offset"]

    def write(self, register: str, motor: str, value: int, eeprom: bool = False) -> None:
        if self.silent_for.get(motor, 0) > 0:
            raise BusError(f"motor '{motor}' does not answer", motor=motor, count=1)
        super().write(register, motor, value, eeprom)

    def _check(self) -> None:
        if self.gone:
            raise BusError("the port is gone")

    def scan(self, port: str, clock: Any) -> list[FoundMotor]:
        return self.loose

    def assign(self, port: str, found: FoundMotor, id: int, clock: Any) -> None:
        self.assigned.append(id)

    @property
    def torque(self) -> list[int]:
        return [self.registers[name].get("Torque_Enable", 0) for name in MOTORS]


class Person:
    """Does what is asked: `hands(what)` is called before a question is answered, `moves` while somebody looks on."""

    def __init__(self, hands: Callable[[str], None] = lambda what: None, moves: Any = ()) -> None:
        self.hands, self.moves = hands, moves
        self.said: list[str] = []

    def say(self, text: str) -> None:
        self.said.append(text)

    def wait_person(self, what: str) -> None:
        self.hands(what)

    def watch_person(self, what: str, look: Callable[[], None]) -> None:
        look()
        for move in self.moves:
            move()
            look()


def parts(bus: BenchBus, calibration: Calibration | None = CALIBRATION) -> Parts:
    return Parts(clock=RealClock(), calibration=calibration, make_bus=lambda name, **options: bus)


def follower(
    bus: BenchBus, calibration: Calibration | None = CALIBRATION, profile: ArmProfile = PROFILE, **options: Any
) -> FollowerArm:
    return FollowerArm(profile, FollowerConfig(port="bench", **options), parts(bus, calibration))


def leader(bus: BenchBus, **options: Any) -> LeaderArm:
    return LeaderArm(PROFILE, LeaderConfig(port="bench", **options), parts(bus))


def folder(tmp_path: Path) -> dict[str, Any]:
    """Options that put the calibration there."""
    return {"calibration_dir": tmp_path, "id": "mine"}
