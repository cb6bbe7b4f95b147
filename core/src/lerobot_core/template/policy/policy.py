"""The acme policy. It wants the robot to stay where it is: replace the line marked HERE by your model."""

from __future__ import annotations

from typing import Literal

import numpy as np
from lerobot_core.errors import ContractError
from lerobot_core.types import ActionChunk, Feature, Features, Guide, Observation

from .config import AcmePolicyConfig

JOINTS: Features = {
    "shoulder.pos": Feature(unit="deg", low=-90.0, high=90.0),
    "gripper.pos": Feature(unit="pct", low=0.0, high=100.0),
}


class AcmePolicy:
    """Numpy at its edge: normalising, batching and the device stay inside."""

    fps: float | None = None
    ensemble: float | None = None
    guidance: Literal["none", "guided", "trained"] = "none"
    stateless = True

    def __init__(self, config: AcmePolicyConfig) -> None:
        self.needs: Features = dict(JOINTS)
        self.gives: Features = dict(JOINTS)
        self.chunk_size = self.n_action_steps = config.chunk_size
        self._seq = 0

    def warmup(self) -> None:
        """What makes the first call slow, before anything moves."""

    def reset(self) -> None:
        """A new episode begins."""

    def predict_chunk(self, obs: Observation, task: str, guide: Guide | None = None) -> ActionChunk:
        """The next `chunk_size` actions, absolute, in the robot's units."""
        missing = self.needs.keys() - obs.keys()
        if missing:
            raise ContractError(f"the acme policy needs {', '.join(sorted(missing))}")
        state = np.array([obs[key] for key in self.gives], dtype=np.float32)
        actions = np.tile(state, (self.chunk_size, 1))  # HERE: float32 (chunk_size, number of joints)
        self._seq += 1
        return ActionChunk(tuple(self.gives), actions, None, obs.time, task, self._seq - 1)

    def close(self) -> None:
        """Free what it holds."""
