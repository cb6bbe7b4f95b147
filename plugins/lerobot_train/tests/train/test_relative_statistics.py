"""Statistics of differences: over every place of a chunk, never beyond an episode."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
from lerobot_train.relative import relative_statistics


class _Reader:
    """Two episodes of one joint: the action is a step ahead of the state."""

    episodes = ("a", "b")

    def __len__(self) -> int:
        return 7

    def column(self, key: str, episode: int) -> Any:
        states = np.arange(4.0 if episode else 3.0, dtype=np.float32)[:, None] + 10 * episode
        return states + 1 if key == "action" else states


def test_differences_grow_along_a_chunk_and_end_with_the_episode() -> None:
    found = relative_statistics(_Reader(), SimpleNamespace(chunk_size=2))  # type: ignore[arg-type]
    # Each row but an episode's last has the places 1 and 2, the last has 1.
    wanted = np.array([1.0, 2.0] * 5 + [1.0, 1.0])
    assert (found["min"][0], found["max"][0], found["count"][0]) == (1.0, 2.0, 12.0)
    np.testing.assert_allclose([found["mean"][0], found["std"][0]], [wanted.mean(), wanted.std()])


def test_an_excluded_joint_stays_as_it_is() -> None:
    config = SimpleNamespace(chunk_size=1, relative_exclude_joints=["grip"], action_feature_names=["gripper.pos"])
    assert relative_statistics(_Reader(), config)["max"][0] == 14.0  # type: ignore[arg-type]
