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
PATIENCE_S = 30.0


class Robot:
    """Observes the pose it is given; `take` is one period.

    Args:
        needs, gives: the policy's features, which the robot happens to have.
        link: instead of Zenoh.
        options: of `--inference remote`, and `clock`, `fps`.

    Attributes:
        pose: what every joint reads.
        lateness: seconds each period began late.
    """

    def __init__(self, needs: Features, gives: Features, robot: str = "left", link: Any = None, **options: Any) -> None:
        self.clock: Clock = options.pop("clock", None) or RealClock()
        self.period = 1.0 / options.pop("fps", FPS)
        self.features, self.actions = needs, gives
        self.pose, self.task = 0.0, "wave"
        self.engine = RemoteEngine(RemoteConfig(**options), self.clock, link)
        self.meeting = Meeting(robot=robot, observation=needs, action=gives, task=self.task)
        self.queue = ActionQueue(self.period, names=tuple(gives))
        self.lateness: list[float] = []
        self._due = 0.0

    def start(self) -> Robot:
        """Meet and start."""
        self.engine.meet(self.meeting)
        self.engine.start(None, self.queue, self.clock)
        self._due = self.clock.now()
        return self

    def observe(self) -> Observation:
        """Black pictures and the pose, now."""
        seen = {key: np.zeros(each.shape, np.uint8) if each.shape else self.pose for key, each in self.features.items()}
        return Observation(seen, self.clock.now())

    def take(self) -> Timed | None:
        """Wait for the period, observe, notify, and take its action."""
        self.clock.sleep_until(self._due)
        now = self.clock.now()
        self.lateness.append(now - self._due)
        self._due = max(self._due + self.period, now)
        obs = self.observe()
        self.engine.notify(obs, self.task, self.queue.mark())
        return self.engine.next_action(obs.time)

    def until(self, done: Callable[[Timed | None], bool], patience: float = PATIENCE_S) -> Timed | None:
        """Run until `done` of a period's action.

        Raises:
            AssertionError: that took longer than `patience` seconds.
        """
        end = self.clock.now() + patience
        while self.clock.now() < end:
            timed = self.take()
            if done(timed):
                return timed
        raise AssertionError(
            f"not within {patience} s: {self.engine.state}, {self.engine.error}, {self.engine.stats()}"
        )

    def first(self) -> Timed:
        """Run until there is an action."""
        timed = self.until(lambda timed: timed is not None)
        assert timed is not None
        return timed

    def run(self, seconds: float) -> list[Timed | None]:
        """Run that long."""
        return [self.take() for _ in range(round(seconds / self.period))]

    def __enter__(self) -> Robot:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.engine.stop()
