"""A plan: what a run is told, with every name resolved to its spec; nothing is built yet."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..config.bases import Chosen
from ..config.run import RunConfig
from ..contracts.strategy import Episodes

if TYPE_CHECKING:
    from ..config.origin import Origins
    from ..registry import Registry
    from ..types import Features

DEFAULT_FPS = 30.0


@dataclass
class Plan:
    """What is going to happen.

    Attributes:
        verb: `rollout`, `record`, `teleoperate` or `replay`.
        config: every value.
        origins: where each came from.
        registry: the plugins named so far.
        fps: policy periods a second; settled when policy and dataset are known.
        observation, action: the robot's features (cameras and processors included); empty before build.
        needs, gives: the policy's features by robot key; empty without a policy.
    """

    verb: str
    config: RunConfig
    origins: Origins
    registry: Registry
    fps: float = 0.0
    observation: Features = field(default_factory=dict)
    action: Features = field(default_factory=dict)
    needs: Features = field(default_factory=dict)
    gives: Features = field(default_factory=dict)

    @property
    def robot(self) -> Chosen:
        """The robot; verbs that run declare it as needed, so it is there."""
        assert self.config.robot is not None
        return self.config.robot

    @property
    def strategy(self) -> Chosen:
        """The strategy; `rollout` defaults to `base`, the other verbs bring their own."""
        assert self.config.strategy is not None
        return self.config.strategy

    @property
    def uses_policy(self) -> bool:
        """True when an inference engine takes part."""
        return "inference" in self.strategy.spec.needs or self.config.policy is not None

    @property
    def records(self) -> bool:
        """True when rows are written."""
        return self.config.dataset is not None and self.verb != "replay"

    @property
    def episodes(self) -> Episodes:
        """How many of what length, as the dataset section says."""
        if self.config.dataset is None:
            return Episodes()
        wanted = self.config.dataset.config
        return Episodes(wanted.num_episodes, wanted.episode_time_s, wanted.reset_time_s)

    @property
    def optional_cameras(self) -> frozenset[str]:
        """Cameras whose loss does not end the run."""
        return frozenset(
            name for name, chosen in self.config.camera.items() if getattr(chosen.config, "optional", False)
        )

    @property
    def robot_type(self) -> str:
        """What datasets and checkpoints call this robot."""
        return str(self.robot.spec.peer_name or self.robot.name)

    def chosen(self) -> Iterator[tuple[str, Chosen]]:
        """Every named plugin with its section (`"camera.front"`)."""
        config = self.config
        for section in ("robot", "teleop", "policy", "inference", "strategy", "dataset"):
            value = getattr(config, section)
            if value is not None:
                yield section, value
        for section in ("camera", "operator", "observer", "processor"):
            for name, value in getattr(config, section).items():
                yield f"{section}.{name}", value

    def info(self) -> dict[str, Any]:
        """What observers and the summary say of the plan."""
        names = {section: value.name for section, value in self.chosen() if "." not in section}
        return {
            "verb": self.verb,
            "strategy": names["strategy"],
            "robot": names["robot"],
            "policy": names.get("policy"),
            "inference": names.get("inference") if self.uses_policy else None,
            "task": self.config.task,
            "fps": self.fps,
        }
