"""A robot's side without a robot: one engine, one queue, a loop at 50 Hz on the real clock."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from lerobot_core.action_queue import ActionQueue
from lerobot_core.clock import Clock, RealClock
from lerobot_core.contracts.inference import Meeting
from lerobot_core.types import Features, Observation, Timed
from lerobot_inference_remote.config import RemoteConfig
from lerobot_inference_remote.engine import RemoteEngine

FPS = 50.0
PATIENCE_S = 20.0


class Robot:
    """Observes the pose it was given; `take` is one period."""

    def __init__(self, needs: Features, gives: Features, robot: str = "left", link: Any = None, **options: Any) -> None:
        self.clock: Clock = options.pop("clock", None) or RealClock()
        self.features, self.actions = needs, gives
        self.pose = 0.0
        self.task = "wave"
        self.engine = RemoteEngine(RemoteConfig(**options), self.clock, link)
        self.meeting = Meeting(robot=robot, observation=needs, action=gives, task=self.task)
        self.queue = ActionQueue(1.0 / FPS, names=tuple(gives))

    def start(self) -> Robot:
        self.engine.meet(self.meeting)
        self.engine.start(None, self.queue, self.clock)
        return self

    def observe(self) -> Observation:
        seen = {key: np.zeros(each.shape, np.uint8) if each.shape else self.pose for key, each in self.features.items()}
        return Observation(seen, self.clock.now())

    def take(self) -> Timed | None:
        obs = self.observe()
        self.engine.notify(obs, self.task, self.queue.mark())
        timed = self.engine.next_action(obs.time)
        self.clock.sleep_until(obs.time + 1.0 / FPS)
        return timed

    def until(self, done: Callable[[Timed | None], bool], patience: float = PATIENCE_S) -> Timed | None:
        """Run until `done` of a period's action."""
        end = self.clock.now() + patience
        while self.clock.now() < end:
            timed = self.take()
            if done(timed):
                return timed
        raise AssertionError(
            f"not within {patience} s: {self.engine.state}, {self.engine.error}, {self.engine.stats()}"
        )

    def first(self) -> Timed:
        timed = self.until(lambda timed: timed is not None)
        assert timed is not None
        return timed

    def __enter__(self) -> Robot:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.engine.stop()
