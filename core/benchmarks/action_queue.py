"""The queue's promise over 10,000 chunks on the virtual clock, and what its calls cost.

A policy that plans "action number n, n + 1, …" from the number of actions executed so far is asked through `chunked`,
its latency 100 ms with 10x spikes and a cold first call of two seconds. Executed correctly, the numbers come out as
0, 1, 2, …; anything else was skipped, repeated or jumped to.

    python core/benchmarks/action_queue.py [--chunks N]
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Callable
from typing import Literal

import numpy as np
from lerobot_core.action_queue import ActionQueue
from lerobot_core.clock import Clock
from lerobot_core.inference.chunked import ChunkedEngine
from lerobot_core.types import ActionChunk, Feature, Features, Guide, Observation
from lerobot_core.virtual_clock import VirtualClock

DT = 1 / 30
SIZE = 50
KEYS = tuple(f"joint_{i}.pos" for i in range(6))


class SpikyPolicy:
    """Plans the numbers after `obs["count"]`; 100 ms a call, one in twelve ten times that, the first two seconds."""

    chunk_size, n_action_steps = SIZE, 12
    fps: float | None = None
    ensemble: float | None = None
    guidance: Literal["none", "guided", "trained"] = "none"
    stateless = True

    def __init__(self, clock: Clock) -> None:
        self.needs: Features = {"count": Feature()}
        self.gives: Features = {key: Feature() for key in KEYS}
        self.clock, self.rng = clock, random.Random(0)
        self.asked: list[int] = []

    def warmup(self) -> None:
        """Nothing, so that the first call is cold."""

    def reset(self) -> None:
        """Nothing to forget."""

    def predict_chunk(self, obs: Observation, task: str, guide: Guide | None = None) -> ActionChunk:
        """Fifty numbers, too late or in time."""
        spike = 10.0 if self.rng.random() < 1 / 12 else 1.0
        self.clock.sleep_until(self.clock.now() + (0.1 * spike * self.rng.uniform(0.7, 1.3) if self.asked else 2.0))
        self.asked.append(int(obs["count"]))
        numbers = np.arange(SIZE, dtype=np.float64) + obs["count"]
        return ActionChunk(KEYS, np.repeat(numbers[:, None], len(KEYS), axis=1).astype(np.float32))

    def close(self) -> None:
        """Nothing to free."""


def drive(chunks: int) -> dict[str, float]:
    """Run the loop until that many chunks were computed; what went wrong, and how often."""
    clock, queue = VirtualClock(), ActionQueue(DT)
    policy, engine = SpikyPolicy(clock), ChunkedEngine()
    engine.start(policy, queue, clock)
    executed = holds = index = skipped = repeated = 0
    first_step = -1
    while len(policy.asked) < chunks:
        t = index * DT
        clock.sleep_until(t)
        engine.notify(Observation({"count": executed}, t), "", queue.mark())
        timed = engine.next_action(t)
        if timed is None:
            holds += 1
        else:
            first_step = timed.step if not executed else first_step
            error = int(timed.action[KEYS[0]]) - executed
            skipped, repeated = skipped + max(error, 0), repeated + max(-error, 0)
            executed += 1
        index += 1
    engine.stop()
    stats = queue.stats()
    return {
        "chunks": len(policy.asked), "executed": executed, "holds": holds, "skipped": skipped, "repeated": repeated,
        "first step after the cold call": first_step, "delay p50": stats["delay_steps"]["p50"],
        "delay max": stats["delay_steps"]["max"], "dropped chunks": stats["dropped_chunks"], "seams": stats["seams"],
    }  # fmt: skip


def cost(call: Callable[[], object], times: int) -> float:
    """Median microseconds of one call, over nine rounds."""
    rounds = []
    for _ in range(9):
        began = time.perf_counter()
        for _ in range(times):
            call()
        rounds.append((time.perf_counter() - began) / times * 1e6)
    return sorted(rounds)[4]


def main() -> None:
    """Print both."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--chunks", type=int, default=10_000)
    began = time.perf_counter()
    for name, value in drive(parser.parse_args().chunks).items():
        print(f"{name:<32}{value:>10}")
    print(f"{'wall seconds':<32}{time.perf_counter() - began:>10.1f}")
    queue = ActionQueue(DT)
    chunk = ActionChunk(KEYS, np.zeros((SIZE, 6), np.float32), np.zeros((SIZE, 32), np.float32))
    long = ActionChunk(KEYS, np.zeros((9_100, 6), np.float32))
    queue.push(long, queue.mark())
    print(f"{'next, us':<32}{cost(lambda: queue.next(0.0), 1000):>10.2f}")
    print(f"{'mark, us':<32}{cost(queue.mark, 1000):>10.2f}")
    print(f"{f'push of {SIZE} x 6, us':<32}{cost(lambda: queue.push(chunk, queue.mark()), 200):>10.2f}")
    print(f"{'push, ensemble, us':<32}{cost(lambda: queue.push(chunk, queue.mark(), 'ensemble'), 20):>10.2f}")
    queue.clear()
    queue.push(chunk, queue.mark())
    print(f"{'leftover of 10, us':<32}{cost(lambda: queue.leftover(10), 200):>10.2f}")


if __name__ == "__main__":
    main()
