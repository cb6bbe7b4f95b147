"""The preset `fake_rig`."""

from __future__ import annotations

from lerobot_core.registry import Registry
from lerobot_core.specs import Overlay


def test_fake_rig_stands_for_an_arm_with_a_camera_and_a_place_to_park() -> None:
    rig = Registry().resolve("robot", "fake_rig")
    assert isinstance(rig, Overlay)
    assert rig.sections["robot"]["type"] == "fake"
    assert set(rig.sections["robot"]["park_pose"].values()) == {0.0}
    assert rig.sections["camera"] == {"front": {"type": "fake"}}
