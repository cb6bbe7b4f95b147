"""The virtual rig's plugins keep the laws of their kinds; the preset stands for what it should."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

import pytest
from lerobot_core.calibration import load
from lerobot_core.clock import RealClock
from lerobot_core.conformance.camera import CameraConformance
from lerobot_core.conformance.teleoperator import TeleoperatorConformance
from lerobot_core.registry import default_registry
from lerobot_core.specs import Overlay, Parts
from lerobot_sim.client import SimWorld
from lerobot_sim.physics.arm import JOINTS
from lerobot_sim.preset import CALIBRATION


class InAWorld:
    """Gives every test of a class the same world."""

    world: ClassVar[SimWorld]
    clock: Any

    @pytest.fixture(autouse=True, scope="class")
    @classmethod
    def _world(cls) -> Iterator[None]:
        cls.world = SimWorld("sim", RealClock())
        yield
        cls.world.close()

    def parts(self) -> Parts:
        return Parts(clock=self.clock, world=self.world)


class TestSimCamera(InAWorld, CameraConformance):
    name = "sim"

    def options(self) -> dict[str, Any]:
        return {"width": 96, "height": 64}


class TestScripted(InAWorld, TeleoperatorConformance):
    name = "scripted"


def test_the_preset_is_an_so100_with_two_cameras_and_a_calibration_that_its_servos_have_stored() -> None:
    overlay = default_registry().resolve("robot", "virtual_so100")
    assert isinstance(overlay, Overlay)
    robot = overlay.sections["robot"]
    assert (robot["type"], robot["port"], robot["id"]) == ("so100_follower", "sim", "virtual")
    assert sorted(overlay.sections["camera"]) == ["front", "wrist"]
    assert list(robot["park_pose"]) == [f"{joint.name}.pos" for joint in JOINTS]
    calibration = load(CALIBRATION / "virtual.json")
    assert calibration is not None
    for joint in JOINTS:
        found = calibration[joint.name]
        assert (found.id, found.homing_offset) == (joint.id, joint.homing)
        assert (found.range_min, found.range_max) == joint.calibrated_range
