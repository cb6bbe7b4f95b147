"""Where a servo's electronics meet its motor: what it asks of the shaft, and what the encoder answers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

STEPS = 4096
"""Encoder steps a turn, of every servo emulated here."""


@dataclass(slots=True)
class Drive:
    """One motor. Positions are encoder steps counted through full turns, speeds steps a second.

    Attributes:
        torque: the motor is driven.
        goal: where it goes.
        speed: fastest the servo lets its goal move; the motor itself may be slower.
        acceleration: of the moving goal, steps/s².
        gain: stiffness, 1.0 being the family's customary setting.
        limit: largest effort, as a fraction of the stall torque.
        changed: set by the servo, cleared by the plant.
        position, velocity: what the encoder measures.
        effort: the torque delivered, -1..1 of the stall torque.
    """

    torque: bool = False
    goal: float = 0.0
    speed: float = math.inf
    acceleration: float = math.inf
    gain: float = 1.0
    limit: float = 1.0
    changed: bool = True
    position: float = 0.0
    velocity: float = 0.0
    effort: float = 0.0


class Plant(Protocol):
    """What the shafts are attached to."""

    def advance(self, dt: float) -> None:
        """Let `dt` seconds pass: move the shafts, then fill in what the encoders measure."""

    def place(self, share: Sequence[float]) -> None:
        """Put each shaft, at rest, where a hand would: -1 and 1 are the ends of its range, 0 the middle."""


class FreePlant:
    """Shafts attached to nothing: each follows its goal at the motor's top speed, without lag or load.

    Args:
        drives: the motors, standing in the middle of their ranges.
        reach: half of each range, encoder steps; None for a quarter turn.
        speed: top speed of the bare motor, steps/s.
    """

    def __init__(self, drives: Sequence[Drive], reach: Sequence[float] | None = None, speed: float = 3000.0) -> None:
        self._drives, self._speed = list(drives), speed
        self._middle = [drive.position for drive in self._drives]
        self._reach = list(reach or [STEPS / 4] * len(self._drives))

    def advance(self, dt: float) -> None:
        """Move every driven shaft towards its goal."""
        for drive in self._drives:
            reach = min(drive.speed, self._speed) * dt
            step = max(-reach, min(reach, drive.goal - drive.position)) if drive.torque else 0.0
            drive.position += step
            drive.velocity = step / dt if dt > 0 else 0.0
            drive.effort = 0.0

    def place(self, share: Sequence[float]) -> None:
        """Put the shafts somewhere."""
        for drive, middle, reach, part in zip(self._drives, self._middle, self._reach, share, strict=True):
            drive.position, drive.velocity = middle + part * reach, 0.0
