"""Actions relative to where the arm is, and back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from lerobot_core.errors import ContractError
from lerobot_core.features import ACTION, STATE
from torch import Tensor

from .step import Batch, Step


class Relative(Step):
    """action - state, on every column whose name holds none of `exclude_joints`; remembers the state for `Absolute`.

    Args:
        enabled: else it only remembers.
        exclude_joints: parts of names, lower case; these columns stay absolute.
        action_names: the columns of an action; None: all are relative.
    """

    name = "relative_actions_processor"

    def __init__(
        self, enabled: bool = False, exclude_joints: Sequence[str] = (), action_names: Sequence[str] | None = None
    ) -> None:
        self.enabled, self.exclude_joints = enabled, list(exclude_joints)
        self.action_names = None if action_names is None else list(action_names)
        self.reference: Tensor | None = None

    def __call__(self, batch: Batch) -> Batch:
        """Actions (B, A) or (B, T, A) less the state (B, S) of the same batch."""
        self.reference = batch.get(STATE, self.reference)
        if not self.enabled or ACTION not in batch or STATE not in batch:
            return batch
        return {**batch, ACTION: batch[ACTION] - self.offset(batch[ACTION])}

    def offset(self, action: Tensor) -> Tensor:
        """The remembered state, broadcast against `action`; 0 in columns that are absolute or that no state has.

        Raises:
            ContractError: no observation was seen yet.
        """
        if self.reference is None:
            raise ContractError("relative actions cannot be made absolute", "no observation went in before them")
        state = self.reference.to(action)
        shared = min(state.shape[-1], action.shape[-1])
        offset = action.new_zeros(*state.shape[:-1], action.shape[-1])
        offset[..., :shared] = state[..., :shared]
        offset = offset * torch.tensor(self._relative(action.shape[-1]), dtype=action.dtype, device=action.device)
        return offset.unsqueeze(-2) if action.dim() == 3 else offset

    def _relative(self, columns: int) -> list[bool]:
        tokens = [joint.lower() for joint in self.exclude_joints if joint]
        names = [name.lower() for name in self.action_names or ()][:columns]
        kept = [not any(token in name for token in tokens) for name in names]
        return kept + [True] * (columns - len(kept))

    def config(self) -> dict[str, Any]:
        """`enabled`, `exclude_joints`, `action_names`."""
        return {"enabled": self.enabled, "exclude_joints": self.exclude_joints, "action_names": self.action_names}

    def inverse(self) -> Step:
        """Adds the remembered state again."""
        step = Absolute(self.enabled)
        step.relative = self
        return step


class Absolute(Step):
    """action + the state that `Relative`, on the other side of the network, remembered."""

    name = "absolute_actions_processor"

    def __init__(self, enabled: bool = False) -> None:
        self.enabled = enabled
        self.relative: Relative | None = None

    def __call__(self, batch: Batch) -> Batch:
        """Actions (B, A) or (B, T, A)."""
        if not self.enabled or ACTION not in batch:
            return batch
        assert self.relative is not None, "a pipeline pairs its steps"
        return {**batch, ACTION: batch[ACTION] + self.relative.offset(batch[ACTION])}

    def config(self) -> dict[str, Any]:
        """`enabled`."""
        return {"enabled": self.enabled}

    def pair(self, before: list[Step]) -> None:
        """Find the step that remembers.

        Raises:
            ContractError: there is none, or only one of the two is enabled.
        """
        self.relative = next((step for step in before if isinstance(step, Relative)), None)
        if self.enabled != (self.relative is not None and self.relative.enabled):
            raise ContractError(
                "the checkpoint makes actions relative on one side only",
                f"{Relative.name} and {self.name} must both be there and enabled, or neither",
            )
