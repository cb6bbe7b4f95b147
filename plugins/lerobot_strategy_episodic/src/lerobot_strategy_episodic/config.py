"""Options of `--strategy episodic`; how many episodes of what length is the dataset's."""

from __future__ import annotations

from dataclasses import dataclass

from lerobot_core.config.fields import option
from lerobot_core.strategies.config import StrategyConfig


@dataclass(frozen=True, kw_only=True)
class EpisodicConfig(StrategyConfig):
    """What happens between two episodes."""

    reset_to_initial_position: bool = option(
        True, help="without a teleoperator: every episode begins where the first one did"
    )
    smooth_handover: bool = option(
        True, help="the arm comes over to the leader in small steps; off: the safety filter alone does it"
    )
    smooth_leader_to_follower_handover: bool = option(
        True, help="a leader with motors stands where the arm stands until the person takes it"
    )
