"""Robot keys to dataset keys and back, and the spellings of names found in the wild."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lerobot_core import features
from lerobot_core.errors import ContractError
from lerobot_core.types import Feature

ARM = {
    "shoulder.pos": Feature(unit="deg"),
    "front": Feature("uint8", (480, 640, 3)),
    "gripper.pos": Feature(unit="pct"),
}
GOAL = {"gripper.pos": Feature(unit="pct"), "shoulder.pos": Feature(unit="deg")}


def test_scalars_become_named_vectors_in_robot_order() -> None:
    entries = features.to_entries(ARM, GOAL)
    assert list(entries) == ["action", "observation.state", "observation.images.front"]
    assert entries["observation.state"] == {
        "dtype": "float32",
        "shape": [2],
        "names": ["shoulder.pos", "gripper.pos"],
    }
    assert entries["action"]["names"] == ["gripper.pos", "shoulder.pos"]
    assert entries["observation.images.front"]["shape"] == [480, 640, 3]


def test_entries_give_back_what_the_robot_said() -> None:
    entries = features.to_entries(ARM, GOAL)
    observation, action = features.from_entries(entries, {"observation": ARM, "action": GOAL})
    assert observation == ARM
    assert list(action.items()) == list(GOAL.items())


def test_without_a_sidecar_units_are_unknown() -> None:
    observation, _ = features.from_entries(features.to_entries(ARM, GOAL))
    assert observation["shoulder.pos"].unit is None


def test_a_robot_without_state_has_no_state_entry() -> None:
    assert "observation.state" not in features.to_entries({"front": ARM["front"]}, GOAL)


def test_a_vector_key_is_refused() -> None:
    with pytest.raises(ContractError, match="'skin' has shape"):
        features.to_entries({"skin": Feature(shape=(16,))}, GOAL)


def test_a_slash_is_refused() -> None:
    with pytest.raises(ContractError, match="holds a '/'"):
        features.to_entries(ARM, {"left/elbow": Feature()})


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["x", "y"], ("x", "y")),
        ({"motors": ["x", "y"]}, ("x", "y")),
        ({"left": {"motors": ["x"]}, "right": {"motors": ["y"]}}, ("x", "y")),
        ({"y": 1, "x": 0}, ("x", "y")),
        ([["x"], ["y"]], ("x", "y")),
        (None, None),
        (["motors"], None),
        (["x", "x"], None),
        ([], None),
    ],
)
def test_spellings_of_names(names: Any, expected: tuple[str, ...] | None) -> None:
    assert features.entry_names({"dtype": "float32", "shape": [2], "names": names}) == expected


def test_a_nameless_vector_keeps_positions_and_says_so() -> None:
    entries = {"action": {"dtype": "float32", "shape": [2], "names": None}}
    _, action = features.from_entries(entries)
    assert list(action) == ["action[0]", "action[1]"]
    assert features.is_nameless(action)
    assert not features.is_nameless(GOAL)


@pytest.mark.parametrize(
    ("key", "camera"),
    [
        ("observation.images.front", "front"),
        ("observation.image", "image"),
        ("observation.wrist", "wrist"),
        ("observation.images.arm.left", "arm.left"),
        ("front", None),
    ],
)
def test_camera_names(key: str, camera: str | None) -> None:
    assert features.camera_of(key) == camera


@pytest.mark.parametrize(
    ("shape", "names"),
    [
        ([96, 128, 3], ["height", "width", "channel"]),
        ([96, 128, 3], ["height", "width", "channels"]),
        ([3, 96, 128], ["channels", "height", "width"]),
        ([96, 128, 3], None),
        ([3, 96, 128], None),
    ],
)
def test_image_layouts(shape: list[int], names: list[str] | None) -> None:
    entry = {"dtype": "video", "shape": shape, "names": names}
    assert features.image_shape(entry) == (96, 128, 3)
    assert features.policy_features({"observation.image": entry})["observation.image"]["shape"] == [3, 96, 128]


def test_policy_types() -> None:
    vector = {"dtype": "float32", "shape": [2], "names": None}
    entries = {
        "observation.state": vector,
        "observation.environment_state": vector,
        "observation.effort": vector,
        "action": vector,
        "next.reward": {"dtype": "float32", "shape": [1], "names": None},
        "requested_action": vector,
        "timestamp": {"dtype": "float32", "shape": [1], "names": None},
    }
    kinds = {key: value["type"] for key, value in features.policy_features(entries).items()}
    assert kinds == {
        "observation.state": "STATE",
        "observation.environment_state": "ENV",
        "observation.effort": "STATE",
        "action": "ACTION",
    }


_KEYS = st.text("abc._", min_size=1, max_size=8)


@given(st.lists(_KEYS, unique=True, min_size=1, max_size=12), st.lists(_KEYS, unique=True, min_size=1, max_size=12))
def test_any_keys_survive_the_round_trip(observed: list[str], acted: list[str]) -> None:
    entries = features.to_entries({key: Feature() for key in observed}, {key: Feature() for key in acted})
    observation, action = features.from_entries(entries)
    assert (list(observation), list(action)) == (observed, acted)
