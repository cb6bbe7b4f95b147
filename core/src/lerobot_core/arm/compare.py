"""Is the calibration file the one of the arm that is plugged in: by names and ids, by what the motors hold, by the pose."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ..calibration import calibration_path
from ..errors import CalibrationError
from ..types import Calibration
from .profile import ArmProfile
from .units import Scale

if TYPE_CHECKING:
    from .servos import Servos

_MARGIN = 200
"""Raw steps (17 degrees) a joint may stand outside its calibrated range before we call it another calibration."""
_HELD = {"Homing_Offset": "homing_offset", "Min_Position_Limit": "range_min", "Max_Position_Limit": "range_max"}


def scales(profile: ArmProfile, calibration: Calibration, fix: str) -> dict[str, Scale]:
    """Every motor's conversion.

    Raises:
        CalibrationError: the file names other motors or other ids.
    """
    foreign = [f"-{name}" for name in profile.motors if name not in calibration]
    foreign += [f"+{name}" for name in calibration if name not in profile.motors]
    foreign += [
        f"{name} has id {calibration[name].id}, not {motor.id}"
        for name, motor in profile.motors.items()
        if name in calibration and calibration[name].id != motor.id
    ]
    if foreign:
        raise CalibrationError(f"the calibration does not fit this arm: {'; '.join(foreign)}", "it is another's", fix)
    return {
        name: Scale(
            motor.norm,
            calibration[name],
            profile.top,
            profile.apply_drive_mode and bool(calibration[name].drive_mode),
        )
        for name, motor in profile.motors.items()
    }


class Comparison:
    """One calibration and the motors it is meant for.

    Until `restore` has written the file to motors that hold another one, their positions are corrected by the
    difference of the offsets: what is observed before engage must mean the same as afterwards. Motors that count
    through full turns are understood in the turn in which the joint can be.

    Args:
        profile: what kind of arm.
        calibration: the file's, None without one.
    """

    def __init__(self, profile: ArmProfile, calibration: Calibration | None) -> None:
        self._profile, self.calibration = profile, calibration
        self._shift: dict[str, int] = {}
        self._turns: dict[str, int] = {}
        self.differs = False

    def check(self, servos: Servos) -> None:
        """Compare, reading only.

        Raises:
            CalibrationError: there is none, the motors hold another, or a joint stands where it cannot be.
        """
        self._shift, self._turns, self.differs = {}, {}, False
        if self.calibration is None:
            config = servos.config
            where = calibration_path(servos.kind, self._profile.peer_name, config.id, config.calibration_dir)
            raise CalibrationError(f"this arm is not calibrated: there is no {where}", "", servos.how_to_calibrate())
        self._check_counting(servos)
        wrong = self._mismatches(servos, self.calibration)
        if wrong and not servos.config.restore_calibration:
            raise CalibrationError(
                f"the motors do not hold this calibration: {'; '.join(wrong)}",
                "it is another arm's, or one of the two is older",
                f"{servos.how_to_calibrate()}, or --{servos.section}.restore-calibration to write the file to the motors",
            )
        self.differs = bool(wrong)
        self._check_pose(servos, self.calibration)

    def corrected(self, raw: dict[str, int]) -> dict[str, int]:
        """Positions as they will be read once the file is in the motors, in the turn of the calibration."""
        if self._shift:
            turn = self._profile.top + 1
            raw = {name: value + self._shift[name] for name, value in raw.items()}
            raw = raw if self._profile.many_turns else {name: value % turn for name, value in raw.items()}
        return {name: value + self._turns[name] for name, value in raw.items()} if self._turns else raw

    def as_counted(self, goals: dict[str, int]) -> dict[str, int]:
        """Goals in the turn in which the motors count."""
        return {name: value - self._turns[name] for name, value in goals.items()} if self._turns else goals

    def restore(self, servos: Servos) -> None:
        """Write the file's offsets and limits to the motors (torque off).

        Raises:
            CalibrationError: they did not take them.
        """
        assert self.calibration is not None
        for name, values in self.calibration.items():
            for register, field in _HELD.items():
                servos.bus.write(register, name, getattr(values, field), eeprom=True)
        wrong = self._mismatches(servos, self.calibration)
        if wrong:
            raise CalibrationError(f"the motors did not take the calibration: {'; '.join(wrong)}")
        self._shift, self.differs = {}, False
        servos.log.warning("the calibration file was written to the motors")

    def _check_counting(self, servos: Servos) -> None:
        wrong = []
        for setting in self._profile.settings:
            if setting.counts:
                held = servos.ask(setting.register, list(setting.motors or self._profile.motors))
                pairs = ((name, value, setting.applied(value)) for name, value in held.items())
                wrong += [
                    f"{name} {setting.register} {value}, not {must}" for name, value, must in pairs if value != must
                ]
        if wrong:
            raise CalibrationError(
                f"the motors do not count as this calibration does: {'; '.join(wrong)}",
                "they are new, or were set by another program",
                servos.how_to_calibrate(),
            )

    def _mismatches(self, servos: Servos, calibration: Calibration) -> list[str]:
        """What differs, a phrase each; the shift of every position follows from the offsets."""
        wrong = []
        for register, field in _HELD.items():
            held = servos.ask(register)
            wrong += [
                f"{name} {register} {held[name]}, file {getattr(values, field)}"
                for name, values in calibration.items()
                if held[name] != getattr(values, field)
            ]
            if register == "Homing_Offset":
                self._shift = self._shifts(held, calibration)
        return wrong

    def _shifts(self, held: Mapping[str, int], calibration: Calibration) -> dict[str, int]:
        sign = 1 if self._profile.homing == "subtract" else -1
        shifts = {name: sign * (held[name] - values.homing_offset) for name, values in calibration.items()}
        return shifts if any(shifts.values()) else {}

    def _check_pose(self, servos: Servos, calibration: Calibration) -> None:
        present = self.corrected(servos.ask("Present_Position"))
        if self._profile.many_turns:
            self._turns = self._nearest_turns(present, calibration)
            present = {name: value + self._turns[name] for name, value in present.items()}
        for name, raw in present.items():
            low, high = calibration[name].range_min, calibration[name].range_max
            if not low - _MARGIN <= raw <= high + _MARGIN:
                raise CalibrationError(
                    f"'{name}' reads {raw}, outside its calibrated {low}..{high}",
                    "the joint was turned past its end, or its position wrapped around",
                    f"power the arm off and on in its middle pose; if it stays: {servos.how_to_calibrate()}",
                )

    def _nearest_turns(self, present: Mapping[str, int], calibration: Calibration) -> dict[str, int]:
        """What to add to each position so that it lies within half a turn of the middle of its range."""
        turn = self._profile.top + 1
        middles = {name: (values.range_min + values.range_max) // 2 for name, values in calibration.items()}
        return {name: -((raw - middles[name] + turn // 2) // turn) * turn for name, raw in present.items()}
