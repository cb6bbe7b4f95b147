"""A numpy policy that solves the fake env, and slots that play it."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from lerobot_core.fakes.config import FakeEnvConfig
from lerobot_core.fakes.env import FakeEnv
from lerobot_core.types import ActionChunk, Features, Guide, Observation
from lerobot_train.evaluate.slot import EpisodeClock, Slot
from lerobot_train.evaluate.stage import LocalStage

QUICK = FakeEnvConfig(joints=("slider", "gripper"), max_steps=60)


class Reacher:
    """Goes where the env says it should, or away from it; counts what it is asked."""

    fps: float | None = 30.0
    guidance: Literal["none"] = "none"

    def __init__(self, env: FakeEnv, right: bool = True, n: int = 5, ensemble: float | None = None) -> None:
        self.gives: Features = env.action_features
        self.needs: Features = {key: f for key, f in env.observation_features.items() if not f.is_image}
        self.chunk_size, self.n_action_steps, self.ensemble, self.stateless = 10, n, ensemble, True
        self.right, self.resets = right, 0
        self.batches: list[int] = []

    def warmup(self) -> None:
        pass

    def reset(self) -> None:
        self.resets += 1

    def predict_chunk(self, obs: Observation, task: str, guide: Guide | None = None) -> ActionChunk:
        goals = [obs[f"target.{key.removesuffix('.pos')}"] for key in self.gives]
        row = np.array(goals if self.right else [0.0 for _ in goals], np.float32)
        return ActionChunk(tuple(self.gives), np.tile(row, (self.chunk_size, 1)), None, obs.time, task)

    def close(self) -> None:
        pass


class Batching(Reacher):
    """Asked for several at once."""

    def predict_chunks(self, observations: Any, tasks: Any) -> list[ActionChunk]:
        self.batches.append(len(observations))
        return [self.predict_chunk(obs, task) for obs, task in zip(observations, tasks, strict=True)]


def slots(policy: Any, count: int) -> list[Slot]:
    return [Slot(LocalStage(FakeEnv(QUICK)), policy, EpisodeClock()) for _ in range(count)]
