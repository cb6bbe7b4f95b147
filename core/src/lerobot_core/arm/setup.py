"""Giving the motors of a new arm their ids: they all leave the factory with the same one."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ..contracts.bus import FoundMotor, MotorSetup
from ..errors import BusError

if TYPE_CHECKING:
    from ..clock import Clock
    from ..contracts.robot import CalibrationUI
    from .profile import ArmProfile


def give_ids(
    profile: ArmProfile,
    bus: MotorSetup,
    open_port: Callable[[], str],
    close_port: Callable[[], None],
    clock: Clock,
    ui: CalibrationUI,
) -> None:
    """Ask for one motor after the other, the last of the arm first, so that the chain can be plugged together behind it.

    Raises:
        BusError: no motor, several motors, or one of another model is connected.
    """
    for name, motor in reversed(list(profile.motors.items())):
        ui.wait_person(f"connect only the motor of '{name}' to the controller")
        port = open_port()
        try:
            found = _only_one(bus.scan(port, clock), name, motor.model)
            bus.assign(port, found, motor.id, clock)
        finally:
            close_port()
        ui.say(f"'{name}' has id {motor.id}" + (f" (it had {found.id})" if found.id != motor.id else ""))
    ui.say("all motors have their ids: connect them in a chain, then calibrate")


def _only_one(found: list[FoundMotor], name: str, model: str) -> FoundMotor:
    if not found:
        raise BusError(
            f"no motor answers where '{name}' should be",
            "at any baud rate",
            "check its cable and the power supply",
            motor=name,
        )
    if len(found) > 1:
        raise BusError(
            f"several motors are connected: ids {', '.join(str(motor.id) for motor in found)}",
            "only one at a time can be given an id",
            f"leave only the motor of '{name}' connected",
            motor=name,
        )
    if found[0].model != model:
        raise BusError(
            f"the motor connected for '{name}' is a {found[0].model}",
            f"this joint has a {model}",
            "connect the right motor",
            motor=name,
        )
    return found[0]
