"""Raw steps to units and back: the peer's formulas, and nothing lost in a row's float32."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lerobot_core.arm.units import Scale
from lerobot_core.contracts.bus import Norm
from lerobot_core.errors import CalibrationError
from lerobot_core.types import MotorCalibration

NORMS: list[Norm] = ["degrees", "range_m100_100", "range_0_100"]
RANGES = st.tuples(st.integers(0, 4094), st.integers(1, 4095)).filter(lambda pair: pair[0] < pair[1])


def scale(norm: Norm, low: int = 758, high: int = 3292, inverted: bool = False) -> Scale:
    return Scale(norm, MotorCalibration(1, int(inverted), 0, low, high), 4095, inverted)


def float32(value: float) -> float:
    return float(struct.unpack("f", struct.pack("f", value))[0])


@given(st.sampled_from(NORMS), RANGES, st.booleans(), st.data())
def test_every_step_survives_a_row(norm: Norm, ends: tuple[int, int], inverted: bool, data: st.DataObject) -> None:
    it = scale(norm, *ends, inverted=inverted)
    raw = data.draw(st.integers(*ends))
    assert it.to_raw(float32(it.to_unit(raw))) == raw


@given(st.sampled_from(NORMS), RANGES, st.booleans(), st.floats(-1e6, 1e6))
def test_what_is_sent_is_in_the_calibrated_range(
    norm: Norm, ends: tuple[int, int], inverted: bool, value: float
) -> None:
    assert ends[0] <= scale(norm, *ends, inverted=inverted).clamped(value) <= ends[1]


@given(st.sampled_from(NORMS), RANGES, st.booleans())
def test_the_declared_range_is_that_of_the_ends(norm: Norm, ends: tuple[int, int], inverted: bool) -> None:
    it = scale(norm, *ends, inverted=inverted)
    feature = it.feature(90.0)
    assert {feature.low, feature.high} == {it.to_unit(ends[0]), it.to_unit(ends[1])}
    assert feature.low < feature.high
    assert feature.max_rate == 90.0


@pytest.mark.parametrize(
    ("norm", "raw", "value"),
    [
        ("degrees", 2025, 0.0),
        ("degrees", 2025 + 1024, 1024 * 360 / 4095),
        ("range_m100_100", 758, -100.0),
        ("range_m100_100", 3292, 100.0),
        ("range_0_100", 758, 0.0),
        ("range_0_100", 2025, 50.0),
    ],
)
def test_the_peers_formulas(norm: Norm, raw: int, value: float) -> None:
    assert scale(norm).to_unit(raw) == pytest.approx(value)


def test_percentages_clamp_and_degrees_do_not() -> None:
    assert scale("range_m100_100").to_unit(4000) == 100.0
    assert scale("range_0_100").to_unit(0) == 0.0
    assert scale("degrees").to_unit(4095) > scale("degrees").feature().high


def test_drive_mode_flips_percentages_only() -> None:
    assert scale("range_m100_100", inverted=True).to_unit(758) == 100.0
    assert scale("range_0_100", inverted=True).to_unit(758) == 100.0
    assert scale("degrees", inverted=True).to_unit(3292) == scale("degrees").to_unit(3292)


def test_values_between_steps_are_truncated_towards_zero() -> None:
    assert scale("degrees", 0, 4094).to_raw(0.9 * 360 / 4095) == 2047
    assert scale("range_0_100", 1000, 2000).to_raw(50.06) == 1500


def test_an_empty_range_is_refused() -> None:
    with pytest.raises(CalibrationError, match="empty range"):
        scale("degrees", 2000, 2000)
