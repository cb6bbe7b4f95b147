"""gym-pusht under the names that the datasets recorded from it have."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from lerobot_core.gymnasium_env import GymnasiumEnv
from lerobot_core.types import Feature, Features

from .config import PushTConfig

SIDE = 512.0
"""Width and height of the plane, in its own units: positions and actions are in 0..512, whatever the picture's size."""
FPS = 10.0
TASK = "Push the T-shaped block onto the T-shaped target."
POSITION: Features = {axis: Feature(low=0.0, high=SIDE) for axis in ("x", "y")}
"""Without a unit: the plane's own has no name, and its datasets state none."""
CAMERA = "image"


def make(config: PushTConfig) -> GymnasiumEnv:
    """The environment: observation x, y (the pusher) and `image`; action x, y (where the pusher is to go)."""
    # Its drawing library greets on stdout, which belongs to what a program may read.
    os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")
    import gym_pusht  # noqa: F401  (registers the environment)
    import gymnasium

    size = config.image_size
    env: Any = gymnasium.make(
        "gym_pusht/PushT-v0",
        max_episode_steps=config.max_steps,
        obs_type="pixels_agent_pos",
        render_mode="rgb_array",
        observation_width=size,
        observation_height=size,
    )
    observation = {**POSITION, CAMERA: Feature("uint8", (size, size, 3))}
    return GymnasiumEnv(env, observation, dict(POSITION), _named, fps=FPS, max_steps=config.max_steps, task=TASK)


def _named(seen: Mapping[str, Any]) -> dict[str, Any]:
    x, y = seen["agent_pos"]
    return {"x": x, "y": y, CAMERA: seen["pixels"]}
