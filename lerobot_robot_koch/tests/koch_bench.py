"""A Koch arm of emulated servos behind a pseudo-terminal, served on a thread, and a person who calibrates it."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any

from lerobot_bus_dynamixel.bus import DynamixelBus
from lerobot_bus_dynamixel.config import DynamixelConfig
from lerobot_core.arm.follower import FollowerArm
from lerobot_core.arm.profile import ArmProfile
from lerobot_core.clock import RealClock
from lerobot_core.specs import Parts
from lerobot_core.types import Calibration, MotorCalibration
from lerobot_robot_koch.config import KochFollowerConfig, KochLeaderConfig
from lerobot_robot_koch.leader import KochLeader
from lerobot_robot_koch.profile import follower, leader
from lerobot_sim.host.reactor import Reactor
from lerobot_sim.servo.drive import Drive, FreePlant
from lerobot_sim.servo.dynamixel import DynamixelDevice
from lerobot_sim.servo.dynamixel_servo import DynamixelServo
from lerobot_sim.servo.rig import Rig

MIDDLE = {
    "shoulder_pan": 1000,
    "shoulder_lift": 2500,
    "elbow_flex": 100,
    "wrist_flex": 3900,
    "wrist_roll": 2047,
    "gripper": 3000,
}
"""Where each encoder happens to stand in the middle pose. Elbow and wrist reach past the encoder's own zero."""
REACH = 1000
"""Half of every range that has ends."""
STEP_S = 0.005
FULL_TURN = ("shoulder_pan", "wrist_roll")


def calibration(inverted: tuple[str, ...] = ()) -> Calibration:
    """What calibrating on this bench must find."""
    found: Calibration = {}
    for id, (name, middle) in enumerate(MIDDLE.items(), 1):
        count = -middle % 4096 if name in inverted else middle
        low, high = (0, 4095) if name in FULL_TURN else (2047 - REACH, 2047 + REACH)
        found[name] = MotorCalibration(id, int(name in inverted), 2047 - count, low, high)
    return found


@dataclass
class Bench:
    """What a test touches."""

    path: str
    servos: dict[str, DynamixelServo]
    rig: Rig
    profile: ArmProfile
    calibration: Calibration | None

    def register(self, name: str, register: str) -> int:
        """What a motor holds."""
        servo = self.servos[name]
        servo.refresh()
        return int(servo.memory[register])

    def registers(self, register: str) -> dict[str, int]:
        """What every motor holds."""
        return {name: self.register(name, register) for name in self.servos}

    def settle(self, seconds: float = 5.0) -> None:
        """Let the shafts run to their goals, in no time."""
        self.rig.plant.advance(seconds)

    def turn(self, steps: int) -> None:
        """A hand turns every shaft from its middle."""
        for name, servo in self.servos.items():
            servo.drive.position = float(MIDDLE[name] + steps)

    def power_cycle(self) -> None:
        """Pull the power plug and put it back."""
        for servo in self.servos.values():
            servo.supply(0.0)
            servo.drive.position %= 4096
            servo.supply(servo.nominal)

    def parts(self) -> Parts:
        """What core would hand to the arm; the bus is patient, because these tests share their machine."""
        log = logging.getLogger("test.koch")

        def make_bus(name: str, **options: Any) -> DynamixelBus:
            assert name == "dynamixel"
            return DynamixelBus(DynamixelConfig(**{**options, "retries": 20, "budget_ms": 1000.0}), log)

        return Parts(clock=RealClock(), calibration=self.calibration, log=log, make_bus=make_bus)

    def follower(self, **options: Any) -> FollowerArm:
        config = KochFollowerConfig(port=self.path, **options)
        return FollowerArm(follower(config), config, self.parts())

    def leader(self, **options: Any) -> KochLeader:
        config = KochLeaderConfig(port=self.path, **options)
        return KochLeader(leader(config), config, self.parts())


class Person:
    """Holds the arm in its middle, then moves every joint from end to end."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self.said: list[str] = []

    def say(self, text: str) -> None:
        self.said.append(text)

    def wait_person(self, what: str) -> None:
        self._bench.turn(0)

    def watch_person(self, what: str, look: Callable[[], None]) -> None:
        for steps in (*range(0, -REACH - 1, -200), *range(-REACH, REACH + 1, 200)):
            self._bench.turn(steps)
            # A look may be lost, and the next one may get the lost one's answer: a person does not let go at once.
            for _ in range(3 if abs(steps) == REACH else 1):
                look()


def follower_bench(calibrated: bool = True, alive: bool = False) -> AbstractContextManager[Bench]:
    """An arm that works; `alive`, its shafts move as time goes by, else when a test says so."""
    return _bench(follower(KochFollowerConfig(port="")), calibrated, alive)


def leader_bench(calibrated: bool = True) -> AbstractContextManager[Bench]:
    """An arm for the hand."""
    return _bench(leader(KochLeaderConfig(port="")), calibrated, alive=False)


@contextmanager
def _bench(profile: ArmProfile, calibrated: bool, alive: bool) -> Iterator[Bench]:
    known = calibration(profile.inverted) if calibrated else None
    servos = {name: _servo(profile, name, known) for name in profile.motors}
    drives = [servo.drive for servo in servos.values()]
    rig = Rig(list(servos.values()), FreePlant(drives), lambda: DynamixelDevice(list(servos.values())), [0.0] * 6)
    reactor = Reactor()
    port, line = rig.open(reactor.at), rig.line
    assert line is not None
    wake, waker = os.pipe()
    reactor.watch(wake, reactor.stop)
    reactor.watch(port.fileno(), lambda: line.receive(time.perf_counter()))
    if alive:
        _live(reactor, rig)
    thread = threading.Thread(target=reactor.run)
    thread.start()
    try:
        yield Bench(port.path, servos, rig, profile, known)
    finally:
        os.write(waker, b"x")
        thread.join()
        rig.close()
        os.close(wake)
        os.close(waker)


def _live(reactor: Reactor, rig: Rig) -> None:
    rig.plant.advance(STEP_S)
    reactor.at(time.perf_counter() + STEP_S, lambda: _live(reactor, rig))


def _servo(profile: ArmProfile, name: str, known: Calibration | None) -> DynamixelServo:
    motor = profile.motors[name]
    values = {"ID": motor.id, "Baud_Rate": 3}
    if known is not None:
        held = known[name]
        values |= {"Operating_Mode": 5 if name == "gripper" else 4, "Drive_Mode": held.drive_mode}
        values |= {"Homing_Offset": held.homing_offset}
        values |= {"Min_Position_Limit": held.range_min, "Max_Position_Limit": held.range_max}
    return DynamixelServo(name, motor.model, values, Drive(position=float(MIDDLE[name]), goal=float(MIDDLE[name])))
