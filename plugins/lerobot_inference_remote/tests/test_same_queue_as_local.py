"""A network changes nothing but time: with the same delays, every action is the local engine's, byte for byte."""

from __future__ import annotations

import random
from typing import Any, Literal

import numpy as np
import pytest
from lerobot_core.action_queue import ActionQueue
from lerobot_core.contracts.inference import Meeting
from lerobot_core.types import Observation
from lerobot_core.virtual_clock import VirtualClock
from lerobot_inference_remote.config import RemoteConfig
from lerobot_inference_remote.engine import RemoteEngine
from lerobot_inference_rtc.config import RtcConfig
from lerobot_inference_rtc.engine import RtcEngine
from lerobot_server.config import Limits
from lerobot_server.fakes import LocalLink, StubPolicy
from lerobot_server.service import Service

DT = 1 / 32
TICKS = 600
Guidance = Literal["none", "guided", "trained"]


def delays(seed: int) -> list[float]:
    """Mostly some periods, now and then longer than a chunk."""
    dice = random.Random(seed)
    return [dice.choice([0.0, DT, 3 * DT, 7.5 * DT, 40 * DT]) for _ in range(400)]


def policy(clock: Any, guidance: Guidance, seed: int) -> StubPolicy:
    return StubPolicy({"front": (6, 8)}, chunk_size=32, guidance=guidance, clock=clock, latencies=delays(seed))


def local(clock: Any, guidance: Guidance, mode: str, seed: int) -> tuple[Any, Any]:
    return RtcEngine(RtcConfig(mode=mode, execution_horizon=8)), policy(clock, guidance, seed)


def remote(clock: Any, guidance: Guidance, mode: str, seed: int) -> tuple[Any, Any]:
    found = policy(clock, guidance, seed)
    link = LocalLink(Service(found, ("stub", "stub", ""), Limits(), clock))
    options = {"mode": mode, "execution_horizon": 8, "jpeg_quality": 0, "request_timeout_s": 100.0}
    engine = RemoteEngine(RemoteConfig(**options), clock, link)  # type: ignore[arg-type]
    engine.meet(Meeting(robot="left", observation=found.needs, action=found.gives))
    return engine, None


def executed(make: Any, guidance: Guidance, mode: str, seed: int) -> list[Any]:
    """What a loop takes out of the queue, tick by tick, with pauses, resets and new tasks in between."""
    clock = VirtualClock()
    engine, here = make(clock, guidance, mode, seed)
    dice, taken = random.Random(seed + 1), []
    queue = ActionQueue(DT, names=sorted(StubPolicy().gives))
    engine.start(here, queue, clock)
    pose = np.float64(0.0)
    for index in range(TICKS):
        t = clock.now()
        seen = {**dict.fromkeys(StubPolicy().gives, float(pose)), "front": np.full((6, 8, 3), index % 256, np.uint8)}
        engine.notify(Observation(seen, t), "b" if index > 300 else "a", queue.mark())
        timed = engine.next_action(t)
        row = None
        if timed is not None:
            values = np.array([timed.action[name] for name in sorted(timed.action)], np.float64)
            row = (values.tobytes(), timed.step, timed.seq, timed.time, timed.task)
            pose = pose + 0.1 * (values[0] - pose)
        names, actions, model = queue.leftover(50)
        taken.append((row, names, actions.tobytes(), None if model is None else model.tobytes()))
        if dice.random() < 0.01:
            engine.reset()
        if dice.random() < 0.01:
            engine.pause()
            engine.resume()
        clock.sleep_until(t + DT)
    stats = engine.stats()
    engine.stop()
    return [*taken, {key: stats[key] for key in ("calls", "errors", "latency_ms", "delay_steps", "dropped_chunks")}]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    ("guidance", "mode"), [("none", "auto"), ("none", "append"), ("guided", "auto"), ("trained", "trained"), ("guided", "replace")]
)  # fmt: skip
def test_every_action_is_the_local_engines(guidance: Guidance, mode: str, seed: int) -> None:
    here, there = (executed(make, guidance, mode, seed) for make in (local, remote))
    different = [index for index, pair in enumerate(zip(here, there, strict=True)) if pair[0] != pair[1]]
    assert not different, (different[0], here[different[0]], there[different[0]])
    assert sum(row[0] is not None for row in here[:-1]) > TICKS // 3
