"""The acme reward. One value above a threshold is success; replace it by your own judgement."""

from __future__ import annotations

from lerobot_core.errors import ContractError
from lerobot_core.types import Observation

from .config import AcmeRewardConfig


class AcmeReward:
    """Stateful within an episode where it needs to be."""

    def __init__(self, config: AcmeRewardConfig) -> None:
        self._config = config

    def reset(self) -> None:
        """A new episode begins."""

    def __call__(self, observation: Observation) -> tuple[float, bool]:
        """Reward of this observation, and whether the task has succeeded."""
        if self._config.key not in observation:
            raise ContractError(f"the acme reward needs {self._config.key}", f"observed: {', '.join(observation)}")
        value = float(observation[self._config.key])
        return value - self._config.above, value > self._config.above
