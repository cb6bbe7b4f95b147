"""`lr rollout --strategy episodic` on fakes and the virtual clock, in a few words."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from lerobot_core.config.bases import Chosen
from lerobot_core.config.run import RunConfig
from lerobot_core.fakes.storage import FakeStorage
from lerobot_core.registry import Registry
from lerobot_core.run.plan import Plan
from lerobot_core.run.session import Session
from lerobot_core.types import Step
from lerobot_core.virtual_clock import VirtualClock

FPS = 30
QUICK = {"num_episodes": 2, "episode_time_s": 1.0, "reset_time_s": 0.5}


@dataclass
class Ran:
    """A run that is over; `steps` are all periods, recorded or not, `said` is what the person was told."""

    session: Session
    steps: list[Step] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    resets: list[float] = field(default_factory=list)

    @property
    def storage(self) -> FakeStorage:
        storage = self.session.parts.storage
        assert isinstance(storage, FakeStorage)
        return storage

    @property
    def episodes(self) -> list[list[Step]]:
        return [episode.steps for episode in self.storage.episodes]

    @property
    def lengths(self) -> list[int]:
        return [len(steps) for steps in self.episodes]

    @property
    def outcomes(self) -> list[str]:
        return [episode.outcome for episode in self.storage.episodes]

    def stretches(self) -> str:
        """Who drove, a letter each: p policy, h human, - hold, g goto; short waits for the policy count as the policy's."""
        runs = [(source, len(list(steps))) for source, steps in groupby(self.steps, lambda step: step.source)]
        letters = ("-" if source == "hold" else source[0] for source, count in runs if source != "hold" or count > 10)
        return "".join(letter for letter, _ in groupby(letters))


class Scene:
    """Succeeds `after` seconds into every attempt."""

    def __init__(self, ran: Ran, after: float) -> None:
        self._ran, self._after, self._since = ran, after, ran.session.clock.now()

    def reset(self) -> None:
        self._since = self._ran.session.clock.now()
        self._ran.resets.append(self._since)

    def success(self) -> bool:
        return self._ran.session.clock.now() - self._since >= self._after


def run(
    script: str = "",
    duration: float = 30.0,
    teleop: dict[str, Any] | None = None,
    policy: dict[str, Any] | None = None,
    dataset: dict[str, Any] | None = None,
    flags: dict[str, Any] | None = None,
    scene_after: float | None = None,
    **strategy: Any,
) -> Ran:
    """`run("0.5 next", teleop={}, dataset={"num_episodes": 3})`; two episodes of a second with half a second between."""
    registry = Registry()

    def chosen(kind: str, plugin: str, **options: Any) -> Chosen:
        spec = registry.spec(kind, plugin)
        return Chosen(kind, plugin, spec, spec.config(**options))

    config = RunConfig(
        robot=chosen("robot", "fake"),
        teleop=None if teleop is None else chosen("teleoperator", "fake", **teleop),
        policy=chosen("policy", "fake", **({"latency_s": 0.1} | (policy or {}))),
        inference=chosen("inference", "chunked"),
        strategy=chosen("strategy", "episodic", **strategy),
        dataset=chosen("storage", "fake", **QUICK | (dataset or {})),
        operator={"scripted": chosen("operator", "scripted", script=script)} if script else {},
        duration=duration,
        **(flags or {}),
    )
    ran = Ran(Session(Plan("rollout", config, {}, registry), VirtualClock()))
    _listen(ran, scene_after)
    ran.session.run()
    return ran


def _listen(ran: Ran, scene_after: float | None) -> None:
    session = ran.session
    loop, view = session.run_loop, session._strategy_view

    def run_loop() -> None:
        record = session.parts.strategy.record
        session.parts.strategy.record = lambda step: (ran.steps.append(step), record(step))  # type: ignore[method-assign,func-returns-value]
        loop()

    def strategy_view() -> Any:
        run = view()
        run.notify = ran.said.append
        if scene_after is not None:
            run.scene = Scene(ran, scene_after)
        return run

    session.run_loop = run_loop  # type: ignore[method-assign]
    session._strategy_view = strategy_view  # type: ignore[method-assign]
