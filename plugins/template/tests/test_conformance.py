"""The robot contract, exercised on this plugin: `pytest` here, or `lr plugins check robot template` anywhere."""

from __future__ import annotations

from lerobot_core.conformance.robot import RobotConformance


class TestTemplate(RobotConformance):
    name = "template"
    may_move = True  # as long as the arm is emulated
