"""Actions that are steps of a hand in space: columns with names, then targets for a robot that follows such steps."""

from __future__ import annotations

from typing import Any

import torch
from lerobot_core.errors import ContractError
from lerobot_core.features import ACTION
from torch import Tensor

from .step import Batch, Step

STEPS = ("delta_x", "delta_y", "delta_z")
TARGETS = (
    "enabled", "target_x", "target_y", "target_z", "target_wx", "target_wy", "target_wz", "gripper_vel",
)  # fmt: skip


class DeltaNames(Step):
    """The columns are delta_x, delta_y, delta_z and, unless told otherwise, gripper; values stay."""

    name = "map_tensor_to_delta_action_dict"

    def __init__(self, use_gripper: bool = True) -> None:
        self.use_gripper = use_gripper

    @property
    def action_names(self) -> tuple[str, ...]:
        """The columns of an action."""
        return (*STEPS, "gripper") if self.use_gripper else STEPS

    def __call__(self, batch: Batch) -> Batch:
        """Refuses actions of another width."""
        if ACTION in batch:
            _check(batch[ACTION], self.action_names, self.name)
        return batch

    def config(self) -> dict[str, Any]:
        """`use_gripper`."""
        return {"use_gripper": self.use_gripper}

    def inverse(self) -> Step:
        """Names are all it gives."""
        return self


class DeltaTargets(Step):
    """Steps (…, 4) -> targets (…, 8), scaled; `enabled` is 1 where the hand really moves, rotations are 0.

    Args:
        position_scale: multiplies the steps.
        noise_threshold: a step shorter than this is none.
    """

    name = "map_delta_action_to_robot_action"
    action_names = TARGETS

    def __init__(self, position_scale: float = 1.0, noise_threshold: float = 1e-3) -> None:
        self.position_scale, self.noise_threshold = position_scale, noise_threshold

    def __call__(self, batch: Batch) -> Batch:
        """Actions become targets."""
        return {**batch, ACTION: self._targets(batch[ACTION])} if ACTION in batch else batch

    def _targets(self, action: Tensor) -> Tensor:
        _check(action, (*STEPS, "gripper"), self.name)
        steps, gripper = action[..., :3], action[..., 3:]
        enabled = (steps.norm(dim=-1, keepdim=True) > self.noise_threshold).to(action)
        return torch.cat([enabled, steps * self.position_scale, torch.zeros_like(steps), gripper], dim=-1)

    def config(self) -> dict[str, Any]:
        """`position_scale`, `noise_threshold`."""
        return {"position_scale": self.position_scale, "noise_threshold": self.noise_threshold}


def _check(action: Tensor, names: tuple[str, ...], step: str) -> None:
    if action.shape[-1] != len(names):
        raise ContractError(
            f"{step} got actions of {action.shape[-1]} numbers", f"it takes {len(names)}: {', '.join(names)}"
        )
