"""A loop without a robot, and a policy whose answers and guides can be checked: action number n has the value n."""

from __future__ import annotations

import dataclasses
import itertools
import random
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Literal

import numpy as np
from lerobot_core.action_queue import ActionQueue
from lerobot_core.types import ActionChunk, Feature, Features, Guide, Observation, Timed
from lerobot_core.virtual_clock import VirtualClock
from lerobot_inference_rtc.config import RtcConfig
from lerobot_inference_rtc.engine import RtcEngine

DT = 1 / 16
"""Exact in binary, so that sums of periods are too."""

KEYS = ("pan.pos", "lift.pos")


@dataclasses.dataclass(frozen=True)
class Asked:
    """One call: how many actions were executed when it was asked for, when, and its guide."""

    count: float
    t: float
    task: str
    guide: Guide | None


class CountingPolicy:
    """Sees how many actions were executed (`count`) and plans the numbers from there on.

    Executed correctly, the numbers come out as 0, 1, 2, … whatever the latency; a guide that is aligned holds exactly
    the numbers of the plan. `latencies` are slept on the clock, one a call; the last one repeats.
    """

    fps: float | None = None
    ensemble: float | None = None
    stateless = True

    def __init__(
        self,
        clock: VirtualClock,
        latencies: Iterable[float] = (0.0,),
        size: int = 16,
        guidance: Literal["none", "guided", "trained"] = "guided",
    ) -> None:
        self.clock, self.guidance = clock, guidance
        self.needs: Features = {"count": Feature()}
        self.gives: Features = {key: Feature() for key in KEYS}
        self.chunk_size = self.n_action_steps = size
        self.log: list[str] = []
        self.asked: list[Asked] = []
        self.answer: Callable[[ActionChunk], ActionChunk] = lambda chunk: chunk
        self._latencies: Iterator[float] = iter(latencies)
        self._latency = 0.0

    def warmup(self) -> None:
        self.log.append("warmup")

    def reset(self) -> None:
        self.log.append("reset")

    def predict_chunk(self, obs: Observation, task: str, guide: Guide | None = None) -> ActionChunk:
        self.log.append("predict" if guide is None else "guided")
        self.asked.append(Asked(obs["count"], self.clock.now(), task, guide))
        self._latency = next(self._latencies, self._latency)
        self.clock.sleep_until(self.clock.now() + self._latency)
        numbers = np.arange(self.chunk_size, dtype=np.float32) + np.float32(obs["count"])
        actions = np.stack([numbers, -numbers], axis=1)
        return self.answer(ActionChunk(KEYS, actions, 10 * numbers[:, None]))

    def close(self) -> None:
        self.log.append("close")


class Bench:
    """Observe, notify, take the next action, wait for the next period."""

    def __init__(
        self,
        latencies: Iterable[float] = (0.0,),
        size: int = 16,
        guidance: Literal["none", "guided", "trained"] = "guided",
        rehearsals: Iterable[float] = (),
        **options: Any,
    ) -> None:
        self.clock = VirtualClock()
        self.engine = RtcEngine(RtcConfig(**options))
        self.policy = CountingPolicy(self.clock, itertools.chain(rehearsals, latencies), size, guidance)
        self.queue = ActionQueue(DT)
        self.taken: list[Timed | None] = []
        self.delays: list[tuple[int, int]] = []
        """(estimated, actual) of each guided chunk that was accepted."""
        self.executed, self.task, self.warm = 0, "task", 0

    def start(self) -> Bench:
        self.engine.start(self.policy, self.queue, self.clock)
        self.warm = len(self.policy.asked)
        return self

    @property
    def asked(self) -> list[Asked]:
        """Calls after the warm-up."""
        return self.policy.asked[self.warm :]

    def tick(self, count: int = 1, take: bool = True) -> None:
        for _ in range(count):
            t = self.clock.now()
            self.engine.notify(Observation({"count": float(self.executed)}, t), self.task, self.queue.mark())
            timed = self.engine.next_action(t) if take else None
            self.taken.append(timed)
            self.executed += timed is not None
            self.clock.sleep_until(max(t + DT, self.clock.now()))

    def tick_until(self, done: Callable[[], bool]) -> None:
        for _ in range(1_000_000):
            if done():
                return
            self.tick()
        raise AssertionError("it never happened")

    @property
    def values(self) -> list[float]:
        return [timed.action["pan.pos"] for timed in self.taken if timed is not None]

    @property
    def holds(self) -> int:
        return self.taken.count(None)


def spikes(seed: int, usual: float = 0.15, cold: float = 2.0) -> Iterator[float]:
    """A cold call, then calls of a steady length, one in twenty much longer."""
    dice = random.Random(seed)
    yield cold
    while True:
        yield usual * dice.uniform(0.8, 1.2) if dice.random() > 0.05 else dice.uniform(0.4, 1.5)


def check_alignment(asked: Iterable[Asked], horizon: int) -> int:
    """Every guide holds the plan's own numbers from its observation on, unpadded; how many guides there were."""
    guides = 0
    for each in asked:
        guide = each.guide
        if guide is None:
            continue
        guides += 1
        count = len(guide.actions)
        assert 1 <= count <= guide.horizon
        assert 0 <= guide.delay <= count
        assert guide.horizon >= horizon
        expected = np.arange(count) + each.count
        np.testing.assert_array_equal(guide.actions[:, guide.names.index("pan.pos")], expected)
        assert guide.model is not None
        np.testing.assert_array_equal(guide.model[:, 0], 10 * expected)
    return guides
