"""Calibrating an arm: half-turn homing in the middle pose, then ranges while a person moves every joint."""

from __future__ import annotations

from pathlib import Path

from ..calibration import calibration_path, require_writable, save
from ..contracts.robot import CalibrationUI
from ..errors import BusError, CalibrationError
from ..types import Calibration, MotorCalibration
from .servos import Servos

_LEAST = 100
"""Raw steps (9 degrees): a joint that was moved by less was forgotten."""

_PATIENCE = 25
"""Looks in a row (half a second) that may fail while cables are being moved about."""


def calibrate(servos: Servos, ui: CalibrationUI) -> None:
    """The whole procedure on a closed arm, torque off throughout.

    Raises:
        CalibrationError: the arm was not in its middle pose, a joint was not moved, or nothing could be saved.
    """
    require_writable(_path(servos))
    servos.open()
    try:
        servos.torque_off()
        ui.wait_person("move every joint to the middle of its range")
        # First, because some settings decide how positions count.
        servos.configure()
        offsets = home(servos)
        lows, highs = record_ranges(servos, ui)
        finish(servos, offsets, lows, highs, ui)
    finally:
        servos.close()


def _path(servos: Servos) -> Path:
    config = servos.config
    return calibration_path(servos.kind, servos.profile.peer_name, config.id, config.calibration_dir)


def home(servos: Servos) -> dict[str, int]:
    """Set offsets so that the present pose reads as the middle of the turn; returns them by motor."""
    profile, bus = servos.profile, servos.bus
    for name in profile.motors:
        bus.write("Homing_Offset", name, 0, eeprom=True)
        bus.write("Min_Position_Limit", name, 0, eeprom=True)
        bus.write("Max_Position_Limit", name, profile.top, eeprom=True)
    middle = profile.top // 2
    offsets = {}
    for name, raw in _present(servos).items():
        offset = raw - middle if profile.homing == "subtract" else middle - raw
        if profile.homing_limit is not None and abs(offset) > profile.homing_limit:
            raise CalibrationError(
                f"'{name}' reads {raw} in the middle pose, too far from {middle}",
                f"its offset register holds at most {profile.homing_limit}",
                "power the arm off and on, move it to the middle pose and calibrate again",
            )
        bus.write("Homing_Offset", name, offset, eeprom=True)
        offsets[name] = offset
    return offsets


def record_ranges(servos: Servos, ui: CalibrationUI) -> tuple[dict[str, int], dict[str, int]]:
    """Lowest and highest position of every joint while the person moves them.

    Raises:
        CalibrationError: a joint was not moved, or went past the end of its turn.
    """
    lows = _present(servos)
    highs = dict(lows)

    def look() -> None:
        try:
            present = _present(servos)
        except BusError as error:
            if error.motor is None or error.count > _PATIENCE:
                raise
            return
        for name, raw in present.items():
            lows[name], highs[name] = min(lows[name], raw), max(highs[name], raw)

    turning = ", ".join(servos.profile.full_turn)
    ui.watch_person("move every joint through its whole range" + (f", except {turning}" if turning else ""), look)
    spans = {name: highs[name] - lows[name] for name in servos.profile.motors if name not in servos.profile.full_turn}
    still = [name for name, span in spans.items() if span < _LEAST]
    if still:
        raise CalibrationError(
            f"not moved: {', '.join(still)}",
            "a joint without a range cannot be used",
            "calibrate again and move it from end to end",
        )
    wrapped = [name for name, span in spans.items() if span > servos.profile.top - _LEAST]
    if wrapped:
        raise CalibrationError(
            f"went through a whole turn: {', '.join(wrapped)}",
            "its position wrapped around because it did not begin in its middle",
            "calibrate again, beginning with every joint in the middle of its range",
        )
    return lows, highs


def _present(servos: Servos) -> dict[str, int]:
    """Positions inside one turn, in whichever turn the motors count."""
    present = servos.ask("Present_Position")
    turn = servos.profile.top + 1
    return {name: raw % turn for name, raw in present.items()} if servos.profile.many_turns else present


def finish(
    servos: Servos, offsets: dict[str, int], lows: dict[str, int], highs: dict[str, int], ui: CalibrationUI
) -> None:
    """Write limits to the motors and the calibration to its file."""
    profile = servos.profile
    calibration: Calibration = {}
    for name, motor in profile.motors.items():
        low, high = (0, profile.top) if name in profile.full_turn else (lows[name], highs[name])
        mode = int(name in profile.inverted)
        calibration[name] = MotorCalibration(motor.id, mode, offsets[name], low, high)
        servos.bus.write("Min_Position_Limit", name, low, eeprom=True)
        servos.bus.write("Max_Position_Limit", name, high, eeprom=True)
        ui.say(f"{name:<16}{low:>6}{high:>6}   {(high - low) * 360 / (profile.top + 1):.0f} degrees")
    path = _path(servos)
    save(path, calibration)
    ui.say(f"saved {path}")
