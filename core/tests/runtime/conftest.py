"""A policy whose answers can be checked: action number n has the value n."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Literal

import numpy as np
import pytest
from lerobot_core.clock import Clock
from lerobot_core.types import ActionChunk, Feature, Features, Guide, Observation

KEYS = ("pan.pos", "lift.pos")


class CountingPolicy:
    """Observes how many actions were executed (`"count"`) and plans the numbers from there on.

    Executed correctly, the numbers come out as 0, 1, 2, … whatever the latency. `latencies` are slept on the clock,
    one a call; the last one repeats.
    """

    def __init__(
        self, clock: Clock, latencies: Iterable[float] = (0.0,), size: int = 16, used: int | None = None
    ) -> None:
        self.clock = clock
        self.needs: Features = {"count": Feature()}
        self.gives: Features = {key: Feature() for key in KEYS}
        self.chunk_size, self.n_action_steps = size, used or size
        self.fps: float | None = None
        self.ensemble: float | None = None
        self.guidance: Literal["none", "guided", "trained"] = "none"
        self.stateless = True
        self.log: list[tuple[str, str]] = []
        self.asked: list[float] = []
        self.answer: Callable[[ActionChunk], ActionChunk] = lambda chunk: chunk
        self._latencies: Iterator[float] = iter(latencies)
        self._latency = 0.0

    def _note(self, what: str) -> None:
        self.log.append((what, threading.current_thread().name))

    def warmup(self) -> None:
        self._note("warmup")

    def reset(self) -> None:
        self._note("reset")

    def predict_chunk(self, obs: Observation, task: str, guide: Guide | None = None) -> ActionChunk:
        self._note("predict")
        self.asked.append(obs["count"])
        self._latency = next(self._latencies, self._latency)
        self.clock.sleep_until(self.clock.now() + self._latency)
        numbers = np.arange(self.chunk_size, dtype=np.float32) + np.float32(obs["count"])
        return self.answer(ActionChunk(KEYS, np.stack([numbers, -numbers], axis=1)))

    def close(self) -> None:
        self._note("close")


@pytest.fixture
def counting_policy() -> type[CountingPolicy]:
    return CountingPolicy
