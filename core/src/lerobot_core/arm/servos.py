"""The part of an arm that leader and follower share: port, bus, positions, torque."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from ..contracts.bus import Bus, MotorSetup
from ..contracts.robot import CalibrationUI
from ..errors import BusError, ContractError, DeviceError
from ..names import name_diff
from ..specs import Parts
from ..types import Action, Calibration, Feature, Features
from .compare import Comparison, scales
from .profile import ArmOptions, ArmProfile, Setting
from .setup import give_ids
from .units import UNIT_OF

_PATIENCE = 5
"""Reads outside the control loop before a motor is called silent; inside it the loop decides."""
_PROBES = 100
"""Reads that `health` takes: one lost packet in a hundred is worth knowing."""


class Servos:
    """A set of servos that make an arm.

    Args:
        profile: what kind of arm.
        config: port, id and where the calibration lies.
        parts: clock, calibration, and how to get a bus and a port.
        kind: `robot` or `teleoperator`, for messages and for the calibration's folder.

    Raises:
        CalibrationError: the calibration belongs to another arm.
    """

    def __init__(self, profile: ArmProfile, config: ArmOptions, parts: Parts, kind: str) -> None:
        self.profile, self.config, self.kind = profile, config, kind
        self.log = parts.log
        self.bus: Bus = parts.make_bus(profile.bus, retries=config.num_read_retries)
        self._clock, self._open_port = parts.clock, parts.open_port
        self._close_port: Callable[[], None] | None = None
        self._scales = scales(profile, parts.calibration, self.how_to_calibrate()) if parts.calibration else {}
        self._comparison = Comparison(profile, parts.calibration)

    # --- names and units --------------------------------------------------------------------------------------------

    @property
    def calibration(self) -> Calibration | None:
        """The file's."""
        return self._comparison.calibration

    def features(self) -> Features:
        """`<motor>.pos` with unit, calibrated range and max_rate; without calibration, without a range."""
        if not self._scales:
            # An uncalibrated arm can be named and calibrated, not moved.
            motors = self.profile.motors.items()
            return {f"{n}.pos": Feature("float32", (), UNIT_OF[m.norm]) for n, m in motors}
        rates = self.profile.max_rate
        return {f"{name}.pos": scale.feature(rates.get(name)) for name, scale in self._scales.items()}

    def to_units(self, raw: Mapping[str, int]) -> Action:
        """Motor -> steps, to key -> unit."""
        return {f"{name}.pos": self._scales[name].to_unit(value) for name, value in raw.items()}

    def to_raw(self, action: Action) -> dict[str, int]:
        """Key -> unit, to motor -> steps, never outside the calibrated range.

        Raises:
            ContractError: a key is missing or unknown, or a value is no number.
        """
        if action.keys() != set(self.profile.keys):
            raise ContractError("an action does not have the arm's keys", name_diff(self.profile.keys, action))
        for key, value in action.items():
            if not math.isfinite(value):
                raise ContractError(f"the action for '{key}' is {value}", "a motor cannot go there")
        return {name: scale.clamped(action[f"{name}.pos"]) for name, scale in self._scales.items()}

    def positions(self) -> Action:
        """Where every joint stands, in one exchange."""
        return self.to_units(self._comparison.corrected(self.bus.sync_read("Present_Position")))

    def ask(self, register: str, motors: Sequence[str] | None = None) -> dict[str, int]:
        """One register of all (or the named) motors, where nobody waits: what a moment's stall cost is asked for again.

        Raises:
            BusError: a motor does not answer at all, or the bus is gone.
        """
        for _ in range(_PATIENCE - 1):
            try:
                return self.bus.sync_read(register, motors)
            except BusError as error:
                if error.motor is None:
                    raise
        return self.bus.sync_read(register, motors)

    def go_to(self, raw: dict[str, int]) -> None:
        """Goals for some or all motors, in one packet."""
        self.bus.sync_write("Goal_Position", self._comparison.as_counted(raw))

    # --- opening and closing ----------------------------------------------------------------------------------------

    def open(self) -> None:
        """Open the bus, reading only; a port that is a reference (`sim`) is opened by whoever answers for it."""
        try:
            self.bus.open(self.real_port(), self.profile.motors, self._clock)
        except BaseException:
            self.close()
            raise

    def real_port(self) -> str:
        """The path behind the configured port; `close` gives it back."""
        found = self._open_port(self.config.port, self.profile.bus, self.profile.motors)
        if found is None:
            return self.config.port
        path, self._close_port = found
        return path

    def close(self) -> None:
        """Close bus and port. Idempotent."""
        self.bus.close()
        if self._close_port is not None:
            self._close_port()
            self._close_port = None

    def connect(self) -> None:
        """Open, then compare the calibration with what the motors hold and with where they stand; nothing is written.

        Raises:
            CalibrationError: there is none, the motors hold another, or a joint stands where it cannot be.
        """
        self.open()
        try:
            self._comparison.check(self)
        except BaseException:
            self.close()
            raise

    # --- torque and settings ----------------------------------------------------------------------------------------

    def configure(self) -> None:
        """Every setting of the profile. Torque goes off only if something must be stored: an arm that holds itself up and
        is set already is not let go."""
        changes = [change for setting in self.profile.settings for change in self._changes(setting)]
        if self._comparison.differs or any(setting.eeprom for setting, _, _ in changes):
            self.torque_off()
        if self._comparison.differs:
            self._comparison.restore(self)
        for setting, name, value in changes:
            self.bus.write(setting.register, name, value, eeprom=setting.eeprom)

    def _changes(self, setting: Setting) -> Iterator[tuple[Setting, str, int]]:
        names = list(setting.motors or self.profile.motors)
        held = self.ask(setting.register, names) if setting.eeprom or setting.mask is not None else {}
        for name in names:
            value = setting.applied(held.get(name, 0))
            if not setting.eeprom or held[name] != value:
                yield setting, name, value

    def torque_on(self, motors: Sequence[str] | None = None, confirmed: bool = True) -> None:
        """Hold the present pose: the goal is set to it before torque goes on, so nothing jumps.

        Args:
            motors: which, None for all.
            confirmed: each motor answers that it holds; else one packet tells them all, and the loop is not kept waiting.
        """
        top, present = self.profile.top, self._comparison.corrected(self.ask("Present_Position"))
        names = list(self.profile.motors if motors is None else motors)
        self.go_to({name: min(max(present[name], 0), top) for name in names})
        for register, value in self.profile.torque_on:
            if not confirmed:
                self.bus.sync_write(register, dict.fromkeys(names, value))
                continue
            for name in names:
                self.bus.write(register, name, value)

    def torque_off(self) -> None:
        """All at once, then each by itself until it confirms; every motor is told, also when one of them fails.

        Raises:
            BusError: naming the motors that could not be told.
        """
        # One packet first: whoever pressed stop must not wait for five motors that no longer answer.
        self.bus.sync_write("Torque_Enable", dict.fromkeys(self.profile.motors, 0))
        failed: dict[str, BusError] = {}
        for name in self.profile.motors:
            try:
                self.bus.write("Torque_Enable", name, 0)
            except BusError as error:
                if error.motor is None:
                    raise
                failed[name] = error
        if failed:
            first, cause = next(iter(failed.items()))
            names = ", ".join(failed)
            raise BusError(f"torque could not be switched off on {names}", cause.what, cause.fix, motor=first)

    def lost_power(self) -> BusError | None:
        """Does every motor still hold? One that restarts comes back limp, with its settings lost; one that protects itself
        may let go too."""
        limp = [name for name, held in self.bus.sync_read("Torque_Enable").items() if not held]
        if not limp:
            return None
        unwell = [f"{name} reports {', '.join(words)}" for name in limp if (words := self.bus.complaints.get(name))]
        if unwell:
            fix = "let it cool and free it, then switch its power off and on"
            return BusError(f"{', '.join(limp)} went limp", "; ".join(unwell), fix, motor=limp[0])
        return BusError(
            f"{', '.join(limp)} went limp",
            "a motor that loses power for a moment comes back with torque off",
            "check the power supply and its plug, then start again",
            motor=limp[0],
        )

    # --- looking after it -------------------------------------------------------------------------------------------

    def health(self) -> list[dict[str, Any]]:
        """A row a motor: motor, id, model, firmware, voltage (V), temperature (C), errors, lost (of 100 reads)."""
        before = {name: self.bus.health(name).lost for name in self.profile.motors}
        failed = dict.fromkeys(self.profile.motors, 0)
        for _ in range(_PROBES):
            try:
                self.bus.sync_read("Present_Position")
            except BusError as error:
                if error.motor is None:
                    raise
                failed[error.motor] += 1
        return [self._row(name, before[name], failed[name]) for name in self.profile.motors]

    def _row(self, name: str, before: int, failed: int) -> dict[str, Any]:
        found = self.bus.health(name)
        return {
            "motor": name,
            "id": found.id,
            "model": found.model,
            "firmware": found.firmware,
            "voltage": found.voltage,
            "temperature": found.temperature,
            "errors": list(found.errors),
            "lost": max(found.lost - before, failed),
        }

    def setup_motors(self, ui: CalibrationUI) -> None:
        """Give every motor its id, one connected at a time.

        Raises:
            DeviceError: this arm's bus cannot do that.
        """
        if not isinstance(self.bus, MotorSetup):
            raise DeviceError(f"the bus '{self.profile.bus}' cannot give motors their ids")
        try:
            give_ids(self.profile, self.bus, self.real_port, self.close, self._clock, ui)
        finally:
            self.close()

    # --- words ------------------------------------------------------------------------------------------------------

    @property
    def section(self) -> str:
        """The option prefix."""
        return "robot" if self.kind == "robot" else "teleop"

    def how_to_calibrate(self) -> str:
        """The command."""
        identity = f" --{self.section}.id {self.config.id}" if self.config.id else ""
        return f"lr calibrate --{self.section} … --{self.section}.port {self.config.port}{identity}"
