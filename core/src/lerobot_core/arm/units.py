"""Raw servo steps to units and back, once, with the peer's formulas.

degrees          (raw - middle) * 360 / 4095, no clamp, drive mode ignored
range_m100_100   -100..100 over the calibrated range, clamped, sign flipped by drive mode 1
range_0_100      0..100 over the calibrated range, clamped, mirrored by drive mode 1
"""

from __future__ import annotations

from dataclasses import dataclass

from ..contracts.bus import Norm
from ..errors import CalibrationError
from ..types import Feature, MotorCalibration, Unit

_EPSILON = 1e-3
"""The peer truncates towards zero. A thousandth of a step keeps a value that came from a whole step on that step,
also after a round trip through float32 (2e-4 steps)."""

UNIT_OF: dict[Norm, Unit] = {"degrees": "deg", "range_m100_100": "pct100", "range_0_100": "pct"}


@dataclass(frozen=True, slots=True)
class Scale:
    """One joint's conversion.

    Args:
        norm: how its position is expressed.
        calibration: its range in raw steps.
        top: the highest raw value (resolution - 1).
        inverted: the drive mode counts on this bus and is 1.
    """

    norm: Norm
    calibration: MotorCalibration
    top: int = 4095
    inverted: bool = False

    def __post_init__(self) -> None:
        if self.calibration.range_min >= self.calibration.range_max:
            raise CalibrationError(
                f"motor {self.calibration.id} has an empty range in its calibration",
                f"range_min {self.calibration.range_min} is not below range_max {self.calibration.range_max}",
                "calibrate again: lr calibrate",
            )

    def to_unit(self, raw: int) -> float:
        """Raw steps -> the joint's unit."""
        low, high = self.calibration.range_min, self.calibration.range_max
        if self.norm == "degrees":
            return (raw - (low + high) / 2) * 360 / self.top
        share = (min(max(raw, low), high) - low) / (high - low)
        if self.norm == "range_0_100":
            return 100 - share * 100 if self.inverted else share * 100
        return -(share * 200 - 100) if self.inverted else share * 200 - 100

    def to_raw(self, value: float) -> int:
        """The joint's unit -> whole steps, truncated towards zero."""
        low, high = self.calibration.range_min, self.calibration.range_max
        if self.norm == "degrees":
            steps = value * self.top / 360 + (low + high) / 2
        elif self.norm == "range_0_100":
            share = min(max(value, 0.0), 100.0)
            steps = (100 - share if self.inverted else share) / 100 * (high - low) + low
        else:
            share = min(max(-value if self.inverted else value, -100.0), 100.0)
            steps = (share + 100) / 200 * (high - low) + low
        return int(steps + _EPSILON)

    def clamped(self, value: float) -> int:
        """As `to_raw`, never outside the calibrated range."""
        return min(max(self.to_raw(value), self.calibration.range_min), self.calibration.range_max)

    def feature(self, max_rate: float | None = None) -> Feature:
        """The joint's feature: unit and calibrated range."""
        ends = self.to_unit(self.calibration.range_min), self.to_unit(self.calibration.range_max)
        return Feature("float32", (), UNIT_OF[self.norm], min(ends), max(ends), max_rate)
