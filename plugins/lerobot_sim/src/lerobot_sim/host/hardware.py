"""Which electronics are on the bench: the scene's SO-100, and arms without a scene for everything else."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from ..physics.arm import JOINTS, Joint
from ..servo.drive import Drive, FreePlant, Plant
from ..servo.dynamixel import DynamixelDevice
from ..servo.dynamixel_servo import DynamixelServo
from ..servo.dynamixel_table import MODELS as dynamixel_models
from ..servo.feetech import FeetechDevice
from ..servo.feetech_servo import FeetechServo
from ..servo.feetech_table import MODELS as feetech_models
from ..servo.rig import Rig
from ..servo.servo import Servo
from ..servo.wire import Device

FACTORY_POSITION = 1500.0
"""Encoder steps at which a loose servo happens to stand."""
DYNAMIXEL_1M = 3
"""Code of 1 Mbaud in an X-series servo's Baud_Rate, which arms are set to; the factory's is slower."""


class Wanted(NamedTuple):
    """One motor a driver expects: its id and model."""

    id: int
    model: str


def so100(drives: Sequence[Drive], plant: Plant) -> Rig:
    """An SO-100: six STS3215, calibrated as the packaged file says."""
    servos = [
        FeetechServo(joint.name, "sts3215", _calibrated(joint), drive=drive)
        for joint, drive in zip(JOINTS, drives, strict=True)
    ]
    rest = [math.radians(joint.rest) / joint.limit for joint in JOINTS]
    return Rig(servos, plant, lambda: FeetechDevice(servos), rest)


def loose_arm(protocol: str, motors: Mapping[str, Wanted]) -> Rig:
    """An arm that is attached to nothing. An SO-100 is calibrated and folded like the one in the scene; other servos
    have these ids and models and the usual baud rate, and are otherwise fresh from the factory.

    Raises:
        ValueError: a protocol or a model that is not emulated.
    """
    known: dict[str, Mapping[str, object]] = {"feetech": feetech_models, "dynamixel": dynamixel_models}
    models = known.get(protocol)
    if models is None:
        raise ValueError(f"no servo of protocol {protocol!r} is emulated; there is {', '.join(known)}")
    for name, motor in motors.items():
        if motor.model not in models:
            raise ValueError(
                f"motor '{name}' is a {motor.model!r}, which is not emulated; there is {', '.join(models)}"
            )
    if is_so100(protocol, motors):
        return _loose_so100()
    return _loose_feetech(motors) if protocol == "feetech" else _loose_dynamixel(motors)


def is_so100(protocol: str, motors: Mapping[str, Wanted]) -> bool:
    """Are these motors an SO-100's, by their names?"""
    return protocol == "feetech" and list(motors) == [joint.name for joint in JOINTS]


def _loose_so100() -> Rig:
    drives = [Drive(position=joint.encoder(0.0)) for joint in JOINTS]
    rig = so100(drives, FreePlant(drives, [joint.reach for joint in JOINTS]))
    rig.hands.take("rest", 0.0)
    return rig


def _loose_feetech(motors: Mapping[str, Wanted]) -> Rig:
    servos = [FeetechServo(name, m.model, {"ID": m.id}, drive=_standing()) for name, m in motors.items()]
    return _loose(servos, lambda: FeetechDevice(servos))


def _loose_dynamixel(motors: Mapping[str, Wanted]) -> Rig:
    values = {"Baud_Rate": DYNAMIXEL_1M}
    servos = [DynamixelServo(name, m.model, {**values, "ID": m.id}, drive=_standing()) for name, m in motors.items()]
    return _loose(servos, lambda: DynamixelDevice(servos))


def _loose(servos: Sequence[Servo], device: Callable[[], Device]) -> Rig:
    return Rig(servos, FreePlant([servo.drive for servo in servos]), device, [0.0] * len(servos))


def _standing() -> Drive:
    return Drive(position=FACTORY_POSITION, goal=FACTORY_POSITION)


def _calibrated(joint: Joint) -> dict[str, int]:
    low, high = joint.calibrated_range
    values = {"ID": joint.id, "Homing_Offset": joint.homing}
    return values | {"Min_Position_Limit": low, "Max_Position_Limit": high}
