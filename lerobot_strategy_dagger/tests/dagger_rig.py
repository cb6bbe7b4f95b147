"""`lr rollout --strategy dagger` on fakes and the virtual clock, in a few words."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from lerobot_core.config.bases import Chosen
from lerobot_core.config.run import RunConfig
from lerobot_core.fakes.joints import ARM
from lerobot_core.fakes.storage import FakeStorage
from lerobot_core.registry import Registry
from lerobot_core.run.plan import Plan
from lerobot_core.run.session import Session
from lerobot_core.types import Step
from lerobot_core.virtual_clock import VirtualClock

FPS = 30.0
APART = {"amplitude": 0.9, "seed": 7, "period_s": 1000.0}
"""A hand that holds every joint up to 90 degrees away from the arm, and hardly moves."""


@dataclass
class Ran:
    """A run that is over.

    Attributes:
        steps: every period, recorded or not.
        said: what the person was told.
    """

    session: Session
    steps: list[Step] = field(default_factory=list)
    said: list[str] = field(default_factory=list)

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

    def at(self, t: float) -> Step:
        """The step of the period that begins `t` seconds after the first action."""
        first = self.steps[0].t
        return min(self.steps, key=lambda step: abs(step.t - first - t))


class Scene:
    """A simulated scene that succeeds `after` seconds into every attempt."""

    def __init__(self, clock: Any, after: float) -> None:
        self._clock, self._after, self.resets = clock, after, 0
        self._since = clock.now()

    def reset(self) -> None:
        self.resets += 1
        self._since = self._clock.now()

    def success(self) -> bool:
        return self._clock.now() - self._since >= self._after


def build(
    script: str = "",
    duration: float = 6.0,
    teleop: dict[str, Any] | None = None,
    policy: dict[str, Any] | None = None,
    dataset: dict[str, Any] | None = None,
    flags: dict[str, Any] | None = None,
    inference: str = "chunked",
    scene_after: float | None = None,
    without: tuple[str, ...] = (),
    keys_of: str = "",
    joints: tuple[str, ...] = ARM,
    **strategy: Any,
) -> Ran:
    """Not run yet."""
    registry = Registry()

    def chosen(kind: str, plugin: str, instance: str = "", **options: Any) -> Chosen:
        spec = registry.spec(kind, plugin)
        return Chosen(kind, plugin, spec, spec.config(**options), instance)

    sections: dict[str, Any] = {
        "robot": chosen("robot", "fake", joints=joints),
        "teleop": chosen("teleoperator", "fake", **({"joints": joints} | (teleop or {}))),
        "policy": chosen("policy", "fake", **({"latency_s": 0.1, "joints": joints} | (policy or {}))),
        "inference": chosen("inference", inference),
        "strategy": chosen("strategy", "dagger", **strategy),
        "dataset": chosen("storage", "fake", **(dataset or {})),
        "operator": {"scripted": chosen("operator", "scripted", script=script or "999 stop")},
    }
    if keys_of:
        sections["operator"] = {keys_of: chosen("operator", keys_of)}
    named = {section: part for section, part in sections.items() if section not in without}
    config = RunConfig(**named, duration=duration, **(flags or {}))
    session = Session(Plan("rollout", config, {}, registry), VirtualClock())
    ran = Ran(session)
    _listen(ran, scene_after)
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
            run.scene = Scene(session.clock, scene_after)
        return run

    session.run_loop = run_loop  # type: ignore[method-assign]
    session._strategy_view = strategy_view  # type: ignore[method-assign]


def run(script: str = "", duration: float = 6.0, **options: Any) -> Ran:
    """`run("1 takeover; 2 takeover", duration=4.0, clutch=True)`."""
    ran = build(script, duration, **options)
    ran.session.run()
    return ran
