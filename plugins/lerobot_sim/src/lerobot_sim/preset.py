"""`--robot virtual_so100`: an SO-100 follower on the virtual bus, both cameras, and where to park."""

from __future__ import annotations

from pathlib import Path

from lerobot_core.specs import Overlay

NAME = "virtual_so100"
CALIBRATION = Path(__file__).parent / "calibration"
"""Holds `virtual.json`, the calibration that the virtual arm's servos have stored."""
PARK_POSE = {
    "shoulder_pan.pos": 0.0,
    "shoulder_lift.pos": -99.0,
    "elbow_flex.pos": 95.0,
    "wrist_flex.pos": 20.0,
    "wrist_roll.pos": 0.0,
    "gripper.pos": 5.0,
}
"""Folded, in degrees and percent: where the arm lies when the world begins."""


def virtual_so100() -> Overlay:
    """The preset's sections, as a configuration file would hold them."""
    robot = {
        "type": "so100_follower",
        "port": "sim",
        "id": "virtual",
        "calibration_dir": str(CALIBRATION),
        "park_pose": PARK_POSE,
    }
    cameras = {view: {"type": "sim", "view": view} for view in ("front", "wrist")}
    return Overlay(NAME, {"robot": robot, "camera": cameras})
