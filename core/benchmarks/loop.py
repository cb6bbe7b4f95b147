"""What a tick costs beyond the robot and the policy, and how punctual ticks are.

    python core/benchmarks/loop.py [SECONDS]

Three measurements in one process, fake robot and fake policy:
overhead   ticks as fast as they go on a clock that never sleeps, minus what robot, policy and strategy take
observers  handing a row to five no-op observers, on the loop's thread
lateness   100 Hz on the real clock, interleaved with a bare `sleep_until` loop at the same rate
"""

from __future__ import annotations

import gc
import sys
import time
from dataclasses import replace
from typing import Any

from lerobot_core.clock import RealClock
from lerobot_core.config.bases import Chosen
from lerobot_core.config.run import RunConfig
from lerobot_core.registry import Registry
from lerobot_core.run.counts import percentile
from lerobot_core.run.plan import Plan
from lerobot_core.run.session import Session


class RacingClock(RealClock):
    """Time jumps to every deadline, so that a loop runs without waiting."""

    def __init__(self) -> None:
        self.t = 0.0

    def now(self) -> float:
        return self.t

    def sleep_until(self, t: float) -> None:
        self.t = max(self.t, t)


def chosen(registry: Registry, kind: str, name: str, **options: Any) -> Chosen:
    spec = registry.spec(kind, name)
    return Chosen(kind, name, spec, spec.config(**options))


def session(clock: Any, seconds: float, fps: float, engine: str = "sync") -> Session:
    registry = Registry()
    config = RunConfig(
        robot=chosen(registry, "robot", "fake"),
        policy=chosen(registry, "policy", "fake", chunk_size=100, n_action_steps=100, fps=fps),
        inference=chosen(registry, "inference", engine),
        strategy=chosen(registry, "strategy", "base"),
        duration=seconds,
        fps=fps,
    )
    return Session(Plan("rollout", config, {}, registry), clock)


class NoOp:
    def start(self, info: dict[str, Any]) -> None: ...
    def step(self, step: Any) -> None: ...
    def stop(self) -> None: ...


def per_tick() -> tuple[float, float]:
    """Microseconds a tick, and of those the ones inside robot, policy and strategy."""
    s = session(RacingClock(), 100.0, 100.0)
    inside = 0.0

    def timed(fn: Any) -> Any:
        def call(*args: Any) -> Any:
            nonlocal inside
            began = time.perf_counter()
            try:
                return fn(*args)
            finally:
                inside += time.perf_counter() - began

        return call

    def wrap() -> None:
        s.parts.robot.get_observation = timed(s.parts.robot.get_observation)  # type: ignore[method-assign]
        s.parts.robot.send_action = timed(s.parts.robot.send_action)  # type: ignore[method-assign]
        assert s.parts.policy is not None
        s.parts.policy.predict_chunk = timed(s.parts.policy.predict_chunk)  # type: ignore[method-assign]

    began = [0.0]

    def start_watch() -> None:
        nonlocal inside
        inside, began[0] = 0.0, time.perf_counter()

    s.steps = lambda: (*type(s).steps(s)[:3], wrap, *type(s).steps(s)[3:-1], start_watch, s.run_loop, stop_watch)  # type: ignore[method-assign]
    total = [0.0]

    def stop_watch() -> None:
        total[0] = time.perf_counter() - began[0]

    ticks = s.run()["ticks"]
    return 1e6 * (total[0] - inside) / ticks, 1e6 * inside / ticks


def bare(seconds: float, period: float) -> list[float]:
    clock = RealClock()
    deadline, late = clock.now(), []
    for _ in range(int(seconds / period)):
        deadline += period
        clock.sleep_until(deadline)
        late.append(clock.now() - deadline)
    return late


def main() -> None:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 20.0
    gc.collect()
    costs = sorted(per_tick() for _ in range(5))
    print(f"overhead    {costs[2][0]:6.1f} us a tick (bar 100), plus {costs[2][1]:.1f} us in fake robot and policy")
    print(f"observers   {offer_cost():6.2f} us a tick on the loop's thread for five of them (bar 2)")
    plain: list[float] = []
    ours: list[float] = []
    for _ in range(5):
        plain += bare(seconds / 5, 0.01)
        s = session(RealClock(), seconds / 5, 100.0)
        s.run()
        assert s.loop is not None
        ours += list(s.loop.counts.lateness)
    for name, late in (("bare loop", plain), ("run", ours)):
        p50, p99 = percentile(late, 0.5), percentile(late, 0.99)
        assert p50 is not None
        assert p99 is not None
        print(f"lateness    {name:9} p50 {1e3 * p50:.3f} ms  p99 {1e3 * p99:.3f} ms  max {1e3 * max(late):.3f} ms")


def offer_cost() -> float:
    """Microseconds of `ObserverThread.offer` with five observers watching."""
    from lerobot_core.run.observers import ObserverThread
    from lerobot_core.types import Observation, Step

    thread = ObserverThread(RealClock(), {str(n): NoOp() for n in range(5)})
    thread.start({})
    step = Step(0, 0.0, Observation(), {}, {}, "hold")
    costs = []
    for n in range(2000):
        step = replace(step, index=n)
        began = time.perf_counter()
        thread.offer(step)
        costs.append(time.perf_counter() - began)
        time.sleep(0.0005)
    thread.stop()
    return 1e6 * sorted(costs)[len(costs) // 2]


if __name__ == "__main__":
    main()
