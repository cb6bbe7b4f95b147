"""What an arm's plugin declares: its motors, how to configure them, how fast they may go."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from ..config.bases import DeviceConfig, RobotConfig
from ..config.fields import option
from ..contracts.bus import Motor


@dataclass(frozen=True, slots=True)
class Setting:
    """One register to write at engage.

    Attributes:
        register, value: what.
        motors: whose; empty means everybody's.
        eeprom: kept without power: written only where it differs, because such memory wears out.
        mask: only these bits are set to those of `value`; None means the whole register.
        counts: positions count differently without it: written before homing too, and motors that hold something else
            do not have the calibration that the file claims.
    """

    register: str
    value: int
    motors: tuple[str, ...] = ()
    eeprom: bool = False
    mask: int | None = None
    counts: bool = False

    def applied(self, held: int) -> int:
        """What the register must hold, when it holds `held` now."""
        return self.value if self.mask is None else (held & ~self.mask) | (self.value & self.mask)


@dataclass(frozen=True)
class ArmProfile:
    """A family of arms.

    Attributes:
        bus: name of the bus plugin.
        motors: by name, in the order of the keys.
        peer_name: the peer's device name.
        settings: written at engage, before torque goes on.
        torque_on: register writes that make a motor hold, in order.
        max_rate: the fastest each joint may be asked to move, in its unit per second.
        homing: the offset register is `present - middle` (`subtract`) or `middle - present` (`add`).
        homing_limit: the largest offset that the register can hold, None where it holds any.
        apply_drive_mode: drive mode 1 flips the joint's unit.
        inverted: motors that are calibrated with drive mode 1.
        top: highest raw position.
        full_turn: motors without end stops, calibrated to the whole turn.
        many_turns: positions run on through full turns, and begin in any of them when power comes.
    """

    bus: str
    motors: Mapping[str, Motor]
    peer_name: str
    settings: tuple[Setting, ...] = ()
    torque_on: tuple[tuple[str, int], ...] = (("Torque_Enable", 1),)
    max_rate: Mapping[str, float] = field(default_factory=dict)
    homing: Literal["subtract", "add"] = "subtract"
    homing_limit: int | None = 2047
    apply_drive_mode: bool = True
    inverted: tuple[str, ...] = ()
    top: int = 4095
    full_turn: tuple[str, ...] = ()
    many_turns: bool = False

    @property
    def keys(self) -> tuple[str, ...]:
        """Observation and action keys, `<motor>.pos`."""
        return tuple(f"{name}.pos" for name in self.motors)


@dataclass(frozen=True, kw_only=True)
class PortOptions:
    """Where an arm hangs and how it is read."""

    port: str = option(help="serial port (/dev/serial/by-id/…), or sim")
    restore_calibration: bool = option(
        False, help="write the calibration file's offsets and limits to the motors at engage"
    )
    num_read_retries: int = option(2, help="times a lost packet is asked for again", low=0, high=20)


@dataclass(frozen=True, kw_only=True)
class ArmOptions(PortOptions, DeviceConfig):
    """What every arm on a servo bus accepts, leader or follower."""


@dataclass(frozen=True, kw_only=True)
class FollowerConfig(ArmOptions, RobotConfig):
    """A follower arm."""


@dataclass(frozen=True, kw_only=True)
class LeaderConfig(ArmOptions):
    """A leader arm."""
