"""An inference engine that wants one pose, for ever."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..action_queue import ActionQueue
from ..clock import Clock
from ..contracts.inference import EngineState
from ..contracts.policy import Policy
from ..types import ActionChunk, Mark, Observation, Timed
from .config import FakeInferenceConfig
from .joints import joint_features


class FakeInference:
    """Answers every observation at once, in the caller's thread, with the same constant chunk."""

    error: Exception | None = None

    def __init__(self, config: FakeInferenceConfig) -> None:
        self.state: EngineState = "idle"
        self._config = config
        self._names = tuple(joint_features(config.joints))
        self._queue: ActionQueue | None = None
        self._calls = 0
        self._paused = False

    @property
    def gives(self) -> tuple[str, ...]:
        """The policy's keys, else those of the configured joints."""
        return self._names

    def start(self, policy: Policy | None, queue: ActionQueue, clock: Clock) -> None:
        """Ready at once; a policy is asked for its names only."""
        self._names = tuple(policy.gives) if policy is not None else self._names
        self._queue = queue
        self.state = "ready"

    def notify(self, obs: Observation, task: str, mark: Mark) -> None:
        """Push one chunk, unless paused."""
        if self._queue is None or self._paused:
            return
        shape = (self._config.chunk_size, len(self._names))
        actions = np.full(shape, self._config.value, dtype=np.float32)
        self._queue.push(ActionChunk(self._names, actions, None, obs.time, task, self._calls), mark, "replace")
        self._calls += 1

    def next_action(self, t: float) -> Timed | None:
        """The queue's."""
        return None if self._queue is None else self._queue.next(t)

    def pause(self) -> None:
        """Stop answering, and forget what was queued."""
        self._paused = True
        self.reset()

    def resume(self) -> None:
        """Answer again."""
        self._paused = False

    def reset(self) -> None:
        """Clear the queue."""
        if self._queue is not None:
            self._queue.clear()

    def stats(self) -> dict[str, Any]:
        """No call takes any time."""
        none = {"p50": 0.0, "p99": 0.0, "max": 0.0}
        delay = {"p50": 0, "max": 0}
        return {"calls": self._calls, "errors": 0, "latency_ms": none, "delay_steps": delay, "dropped_chunks": 0}

    def stop(self) -> None:
        """There is no thread to end."""
        self.state = "idle"
