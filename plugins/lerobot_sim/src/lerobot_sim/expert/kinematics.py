"""Inverse kinematics of the SO-100 by geometry: pan, then two links in a vertical plane, then the wrist."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ..physics import arm

Angles = dict[str, float]
"""Joint -> degrees, zero in the middle of its range."""

_UPPER = math.hypot(arm.ELBOW_FORWARD, arm.ELBOW_UP)
_BEND = math.atan2(arm.ELBOW_FORWARD, arm.ELBOW_UP)
GRASP = arm.FINGER - 0.012
"""Gripper's frame to the point between the jaws where a cube is held."""
_LIMIT = {joint.name: math.degrees(joint.limit) for joint in arm.JOINTS}


@dataclass(frozen=True)
class Grip:
    """Where the gripper should be.

    Attributes:
        x, y, z: the point of the hand's axis that is `GRASP` from its frame, metres.
        yaw: the direction in which the jaws close, degrees; any multiple of 90 more is as good.
    """

    x: float
    y: float
    z: float
    yaw: float | None = None


def reach(grip: Grip, steepest: float = 90.0, flattest: float = 20.0) -> Angles | None:
    """Joint angles (without the gripper's) with the steepest possible approach, None when it is out of reach.

    Args:
        grip: where to.
        steepest, flattest: of the hand, degrees below the horizontal.
    """
    pitch = steepest
    while pitch >= flattest:
        angles = _at_pitch(grip, math.radians(pitch))
        if angles is not None:
            return angles
        pitch -= 2.5
    return None


def closing_yaw(angles: Angles) -> float:
    """The direction in which the jaws close at these angles, degrees."""
    pitch = math.radians(angles["shoulder_lift"] + angles["elbow_flex"] + angles["wrist_flex"])
    roll = math.radians(angles["wrist_roll"])
    return angles["shoulder_pan"] + 90 - math.degrees(math.atan2(math.sin(roll) * math.sin(pitch), math.cos(roll)))


def _at_pitch(grip: Grip, pitch: float) -> Angles | None:
    pan = math.atan2(grip.y, grip.x)
    length = arm.WRIST + GRASP
    forward = math.hypot(grip.x, grip.y) - length * math.cos(pitch) - arm.SHOULDER_FORWARD
    up = grip.z + length * math.sin(pitch) - arm.SHOULDER_HEIGHT
    links = _two_links(forward, up)
    if links is None:
        return None
    lift, elbow = links
    angles = {
        "shoulder_pan": math.degrees(pan),
        "shoulder_lift": math.degrees(lift),
        "elbow_flex": math.degrees(elbow),
        "wrist_flex": math.degrees(pitch - lift - elbow),
        "wrist_roll": _roll(grip.yaw, math.degrees(pan), pitch),
    }
    return angles if all(abs(angle) <= _LIMIT[name] for name, angle in angles.items()) else None


def _two_links(forward: float, up: float) -> tuple[float, float] | None:
    """Lift and elbow (radians) that bring the wrist to (forward, up) of the lift axis, elbow up."""
    distance = math.hypot(forward, up)
    # The last percent of reach is left alone: there the elbow would have to move infinitely fast.
    if not abs(_UPPER - arm.FOREARM) < distance <= 0.99 * (_UPPER + arm.FOREARM):
        return None
    inner = (_UPPER**2 + distance**2 - arm.FOREARM**2) / (2 * _UPPER * distance)
    raised = math.atan2(up, forward) + math.acos(inner)
    elbow_x, elbow_y = _UPPER * math.cos(raised), _UPPER * math.sin(raised)
    lift = math.pi / 2 - raised - _BEND
    return lift, -math.atan2(up - elbow_y, forward - elbow_x) - lift


def _roll(yaw: float | None, pan: float, pitch: float) -> float:
    """The wrist's roll, within 45 degrees, that turns the jaws towards `yaw`."""
    if yaw is None:
        return 0.0
    wanted = math.radians((pan - yaw + 45) % 90 - 45)
    return math.degrees(math.atan2(math.sin(wanted), math.cos(wanted) * math.sin(pitch)))
