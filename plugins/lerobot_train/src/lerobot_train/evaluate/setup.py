"""Everything an evaluation in an env needs, built and checked: stages, policy, processors, slots."""

from __future__ import annotations

import dataclasses
import logging
import os
from collections.abc import Iterable
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from lerobot_core.clock import Clock, RealClock
from lerobot_core.contracts.policy import Policy, RobotAware
from lerobot_core.contracts.processor import Processor
from lerobot_core.run.check import compare, raise_problems
from lerobot_core.run.rename import RenamedPolicy
from lerobot_core.specs import Parts
from lerobot_core.types import Features, Problem

from .config import EPISODES
from .process import ProcessStage, make_env
from .robot import with_blank
from .slot import EpisodeClock, Slot
from .stage import LocalStage, Stage

if TYPE_CHECKING:
    from lerobot_core.config.bases import Chosen
    from lerobot_core.registry import Registry

    from .config import EvalConfig

MOST_SLOTS = 8
"""Each is a process with its own libraries, about 150 MB."""


def slots_wanted(config: EvalConfig, episodes: int) -> int:
    """As asked for, else one a core; never more than there are episodes."""
    return min(config.slots or min(os.cpu_count() or 1, MOST_SLOTS), episodes)


class Builder:
    """Builds what an evaluation needs; the stack closes it.

    Args:
        config: what was asked for.
        registry: whose `build` hook builds.
        stack: closes everything.
    """

    def __init__(self, config: EvalConfig, registry: Registry, stack: ExitStack) -> None:
        self._config, self._registry, self._stack = config, registry, stack

    def slots(self) -> list[Slot]:
        """Every slot, checked; a policy that remembers its episode is built once a slot.

        Raises:
            UserError: env and policy do not fit.
        """
        config, shared = self._config, EpisodeClock()
        processes = self._start(slots_wanted(config, config.episodes or EPISODES))
        policy = self._policy(shared)  # while the envs start
        stages = self._meet(processes)
        processors, seen = self._processors(stages[0])
        bind(policy, seen, stages[0])
        check(config, policy, seen, stages[0])
        policy.warmup()
        task = config.task or stages[0].task
        slots = [Slot(stages[0], policy, shared, processors, task)]
        for stage in stages[1:]:
            clock = shared if policy.stateless else EpisodeClock()
            own = policy if policy.stateless else self._another(clock, stage, seen)
            slots.append(Slot(stage, own, clock, self._processors(stage)[0], task))
        return slots

    def part(self, chosen: Chosen, clock: Clock) -> Any:
        """One part, through the `build` hook."""
        parts = Parts(clock=clock, log=logging.getLogger(f"lerobot.{chosen.kind}"))
        return self._registry.hook.build(kind=chosen.kind, spec=chosen.spec, config=chosen.config, parts=parts)

    def _start(self, count: int) -> list[ProcessStage]:
        """All at once; one slot alone needs no process."""
        chosen, processes = self._config.env, []
        assert chosen is not None
        for _ in range(count if count > 1 else 0):
            processes.append(ProcessStage(chosen.name, chosen.config))
            self._stack.callback(processes[-1].close)
        return processes

    def _meet(self, processes: list[ProcessStage]) -> list[Stage]:
        chosen = self._config.env
        assert chosen is not None
        for process in processes:
            process.meet()
        if processes:
            return list(processes)
        stage = LocalStage(make_env(chosen.name, chosen.config))
        self._stack.callback(stage.close)
        return [stage]

    def _policy(self, clock: Clock) -> Policy:
        chosen, renames = self._config.policy, self._config.rename_map
        assert chosen is not None
        built: Policy = self.part(chosen, clock)
        self._stack.callback(built.close)
        renamed: Any = RenamedPolicy(built, renames)
        return renamed if renames else built

    def _another(self, clock: Clock, stage: Stage, seen: Features) -> Policy:
        policy = self._policy(clock)
        bind(policy, seen, stage)
        policy.warmup()
        return policy

    def _processors(self, stage: Stage) -> tuple[list[Processor], Features]:
        """They, and what the policy gets to see."""
        chosen = with_blank(self._config, self._registry)
        built: list[Processor] = [self.part(each, RealClock()) for each in chosen.values()]
        seen = dict(stage.observation_features)
        for processor in built:
            if processor.side == "observation":
                seen = processor.features(seen)
        return built, seen


def bind(policy: Policy, seen: Features, stage: Stage) -> None:
    """Let a policy that wants to know the env know it."""
    if isinstance(policy, RobotAware):
        policy.bind(seen, stage.action_features)


def check(config: EvalConfig, policy: Policy, seen: Features, stage: Stage) -> None:
    """Names, units, shapes and rate; `seen` is what the processors make of the env's observation.

    Raises:
        ContractError: everything that does not fit, by name.
    """
    problems = [
        *compare("policy's actions", policy.gives, "env", stage.action_features, exact=True),
        *compare("policy's observations", policy.needs, "env", seen, exact=False),
        *_rates(config.fps, policy.fps, stage.fps),
    ]
    raise_problems(map(_for_an_env, problems))


def _rates(asked: float | None, policy: float | None, env: float) -> Iterable[Problem]:
    if asked is not None and asked != env:
        yield Problem("error", "fps", f"the env makes {env:g} steps a second, not {asked:g}", f"--fps {env:g}")
    if asked is None and policy is not None and policy != env:
        text = f"the policy was trained at {policy:g} Hz, the env makes {env:g} steps a second"
        yield Problem("error", "fps", text, f"--fps {env:g} to play all the same")


def _for_an_env(problem: Problem) -> Problem:
    """An env has no cameras to set up."""
    if not problem.fix.startswith("--camera."):
        return problem
    return dataclasses.replace(problem, fix="the env's option for its size, or a policy trained on such pictures")
