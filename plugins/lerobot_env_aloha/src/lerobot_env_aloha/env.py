"""gym-aloha under the names that the datasets recorded from it have."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from lerobot_core.errors import DeviceError
from lerobot_core.gymnasium_env import GymnasiumEnv
from lerobot_core.types import Feature, Features
from numpy.typing import NDArray

from .config import AlohaConfig
from .drawing import CHOICE, INSTALL, choose

FPS = 50.0
JOINTS = ("waist", "shoulder", "elbow", "forearm_roll", "wrist_angle", "wrist_rotate", "gripper")
NAMES = tuple(f"{side}_{joint}" for side in ("left", "right") for joint in JOINTS)
CAMERA = "top"
IDS = {"insertion": "gym_aloha/AlohaInsertion-v0", "transfer_cube": "gym_aloha/AlohaTransferCube-v0"}
INSTRUCTIONS = {
    "insertion": "Insert the peg into the socket.",
    "transfer_cube": "Pick up the cube with the right arm and transfer it to the left arm.",
}
_FINGERS = 2
"""Actuators of a gripper; one number moves both."""


def make(config: AlohaConfig) -> GymnasiumEnv:
    """The environment: observation of 14 joints and `top`; action: where the joints are to go.

    Raises:
        DeviceError: there is nothing to draw with.
    """
    env = _drawing(config)
    inner = env.unwrapped._env
    size = config.image_height, config.image_width
    actions = _actions(np.asarray(inner.physics.model.actuator_ctrlrange))
    observation = {**{name: Feature() for name in NAMES}, CAMERA: Feature("uint8", (*size, 3))}
    return GymnasiumEnv(env, observation, actions, _named, fps=FPS, max_steps=config.max_steps,
                        task=INSTRUCTIONS[config.task])  # fmt: skip


def _drawing(config: AlohaConfig) -> Any:
    """The environment, having drawn once: what is missing of the system shows now, not in an episode."""
    choose()
    try:
        import gym_aloha  # noqa: F401  (registers the environments)
        import gymnasium

        env: Any = gymnasium.make(
            IDS[config.task], max_episode_steps=config.max_steps, obs_type="pixels_agent_pos", disable_env_checker=True
        )
        _see_only_top(env.unwrapped._env, config)
        env.unwrapped._env.physics.render(height=16, width=16, camera_id=CAMERA)
    # Each library says in its own way that another is missing: PyOpenGL with AttributeError, MuJoCo with its own errors.
    except Exception as error:
        raise DeviceError("env aloha cannot draw", f"{type(error).__name__}: {error}",
                          f"{INSTALL}; or {CHOICE}=egl, osmesa or glfw") from error  # fmt: skip
    return env


def _see_only_top(inner: Any, config: AlohaConfig) -> None:
    """gym-aloha draws three cameras at each step and gives one; drawing is most of a step."""
    task: Any = inner.task

    def look(physics: Any) -> dict[str, Any]:
        image = physics.render(height=config.image_height, width=config.image_width, camera_id=CAMERA)
        return {"qpos": task.get_qpos(physics), "images": {CAMERA: image}}

    task.get_observation = look


def _actions(ranges: NDArray[Any]) -> Features:
    """Each joint's range, rad; of a gripper 0 (closed) to 1 (open), whatever its fingers do."""
    arms = len(JOINTS) - 1
    rows = [row for side in range(2) for row in ranges[side * (arms + _FINGERS) :][:arms].tolist() + [[0.0, 1.0]]]
    return {name: Feature(low=low, high=high) for name, (low, high) in zip(NAMES, rows, strict=True)}


def _named(seen: Mapping[str, Any]) -> dict[str, Any]:
    return {**dict(zip(NAMES, seen["agent_pos"], strict=True)), CAMERA: seen["pixels"]["top"]}
