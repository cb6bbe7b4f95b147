"""The SO-100 in numbers: lengths, ranges, servos. Read by the model, the servos, the expert and the calibration.

Lengths are metres, measured on the published parts of the arm and rounded; they are good to about 3 mm, and the jaws
are straight bars where the real ones are curved. x points forward, y to the arm's left, z up; every joint is zero in
the middle of its range: upper arm upright, forearm and gripper level and straight ahead. Lift, elbow and wrist are
positive when they bring the gripper down, pan when it turns left, the gripper when it opens.
"""

from __future__ import annotations

import math
from typing import NamedTuple

STEPS_A_RADIAN = 4096 / math.tau

SHOULDER_HEIGHT = 0.119
SHOULDER_FORWARD = 0.031
"""The lift axis above the table, and ahead of the pan axis, which stands on the origin."""
ELBOW_FORWARD, ELBOW_UP = 0.028, 0.1126
"""The elbow axis from the lift axis: the upper arm is 0.116 long and bent 14 degrees forward."""
FOREARM = 0.1349
WRIST = 0.0601
"""Elbow axis to wrist axis, and wrist axis to the gripper's frame (x along the fingers, y towards the fixed jaw)."""
FINGER = 0.100
"""Gripper's frame to fingertips."""
PIVOT_X, PIVOT_Y = 0.0244, -0.0202
"""The moving jaw's axis in the gripper's frame."""
FIXED_PAD_Y, PARALLEL_PAD_Y = 0.012, -0.016
"""Where the fixed jaw's face is, and the moving one's when the two are parallel."""
PARALLEL = math.asin((FIXED_PAD_Y - PARALLEL_PAD_Y) / (FINGER - PIVOT_X))
"""How far the moving jaw is then open; at zero its tip touches the fixed jaw."""

STALL_TORQUE = 1.9
TOP_SPEED = 4.7
"""N·m and rad/s of an STS3215 at 7.4 V (19.5 kg·cm, 0.222 s for 60 degrees)."""


class Joint(NamedTuple):
    """One joint.

    Attributes:
        name: the motor's.
        id: on the bus.
        reach: half its range, encoder steps.
        homing: what Homing_Offset holds after calibration; how the horn happened to be put on.
        full_turn: calibrated over the whole turn.
        rest: angle of the folded arm, degrees.
    """

    name: str
    id: int
    reach: int
    homing: int
    full_turn: bool = False
    rest: float = 0.0

    @property
    def limit(self) -> float:
        """Half its range, radians."""
        return self.reach / STEPS_A_RADIAN

    @property
    def calibrated_range(self) -> tuple[int, int]:
        """What a calibration measures: lowest and highest position in steps."""
        return (0, 4095) if self.full_turn else (2047 - self.reach, 2047 + self.reach)

    def encoder(self, angle: float) -> float:
        """Steps, through full turns, at `angle` radians; 2047 - homing is how the arm was assembled."""
        return 2047 + self.homing + angle * STEPS_A_RADIAN


JOINTS = (
    Joint("shoulder_pan", 1, 1251, -1470),
    Joint("shoulder_lift", 2, 1160, 1013, rest=-99.0),
    Joint("elbow_flex", 3, 1104, 871, rest=95.0),
    Joint("wrist_flex", 4, 1092, -654, rest=20.0),
    Joint("wrist_roll", 5, 1850, 312, full_turn=True),
    Joint("gripper", 6, 626, -1188, rest=-52.0),
)
"""In the order of the peer's robots, keys `<name>.pos`. The gripper's zero is half open, as a calibrated one's."""

JAW_MIDDLE = JOINTS[5].limit
"""The moving jaw's opening when the gripper's angle is zero; closed is -`JAW_MIDDLE`."""
