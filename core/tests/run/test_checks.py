"""Plans that cannot work are refused before anything moves, all problems at once."""

from __future__ import annotations

import pytest
from lerobot_core.run.check import check_bindings, check_fps
from rig import session


def refused(s: object) -> str:
    summary = s.run()  # type: ignore[attr-defined]
    assert summary["outcome"] == "failed"
    parts = s._parts  # type: ignore[attr-defined]
    assert parts is None or not [c for c in parts.robot.calls if c.name in ("engage", "send_action")]
    return str(s.ending.error)  # type: ignore[attr-defined]


def test_a_policy_of_other_names_is_refused_with_a_diff() -> None:
    text = refused(session(policy={"names": ("shoulder_pan.pos", "elbow.pos")}))
    assert "-elbow.pos" in text
    assert "+gripper.pos" in text


def test_a_policy_in_another_order_works() -> None:
    order = ("gripper", "wrist_roll", "wrist_flex", "elbow_flex", "shoulder_lift", "shoulder_pan")
    s = session(policy={"joints": order}, flags={"duration": 1.0})
    assert s.run()["outcome"] == "done"
    straight = session(policy={}, flags={"duration": 1.0})
    straight.run()
    assert s.loop.sent.keys() == straight.loop.sent.keys()


def test_a_policy_in_other_units_is_refused() -> None:
    text = refused(session(policy={"units": "rad"}))
    assert "'rad'" in text
    assert "'deg'" in text


def test_a_camera_of_another_size_is_refused() -> None:
    text = refused(session(policy={"cameras": ("front",)}, camera={"front": {"width": 320, "height": 240}}))
    assert "640x480x3" in text
    assert "320x240x3" in text


def test_a_missing_camera_is_named() -> None:
    assert "-wrist" in refused(session(policy={"cameras": ("wrist",)}, camera={"front": {}}))


def test_rename_map_gives_the_policy_its_own_names() -> None:
    flags = {"duration": 1.0, "rename_map": {"front": "camera1", "shoulder_pan.pos": "pan.pos"}}
    joints = ("pan", "shoulder_lift", "elbow_flex", "wrist_flex", "wrist_roll", "gripper")
    s = session(policy={"cameras": ("camera1",), "joints": joints}, camera={"front": {}}, flags=flags)
    assert s.run()["outcome"] == "done"
    assert "shoulder_pan.pos" in s.loop.sent


def test_every_problem_is_named_at_once() -> None:
    text = refused(session("record", "record"))
    assert "--teleop" in text
    assert "--dataset.root" in text


def test_no_policy_says_what_to_type() -> None:
    assert "--policy" in refused(session(inference={"type": "sync"}))


def test_a_dataset_that_nobody_would_write_is_an_error() -> None:
    assert "records nothing" in refused(session(policy={}, dataset={}))


def test_a_teleoperator_with_other_joints_is_refused() -> None:
    assert "-a.pos" in refused(session("teleoperate", "teleoperate", teleop={"joints": ("a", "b")}))


def test_two_meanings_of_one_key_are_an_error() -> None:
    problems = check_bindings({"terminal": {"space": "pause", "s": "save"}, "pedal": {"s": "takeover"}})
    assert [problem.level for problem in problems] == ["error"]


@pytest.mark.parametrize(
    ("asked", "dataset", "policy", "fps", "bad"),
    [
        (None, None, None, None, False),
        (None, None, 10.0, 10.0, False),
        (None, 30.0, None, 30.0, False),
        (None, 30.0, 10.0, 30.0, True),
        (30.0, 30.0, 10.0, 30.0, False),
        (20.0, 30.0, None, 20.0, True),
        (20.0, None, 10.0, 20.0, False),
    ],
)
def test_which_rate_is_in_force(asked: float, dataset: float, policy: float, fps: float, bad: bool) -> None:
    found, problems = check_fps(asked, dataset, policy)
    assert (found, bool(problems)) == (fps, bad)
