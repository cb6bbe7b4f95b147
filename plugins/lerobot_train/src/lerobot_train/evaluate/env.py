"""`lr eval --env NAME`: a policy in a simulated task; no arm, so no safety filter."""

from __future__ import annotations

import dataclasses
import logging
import os
import sys
from collections.abc import Iterable
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lerobot_core.clock import Clock, RealClock
from lerobot_core.contracts.policy import Policy, RobotAware
from lerobot_core.contracts.processor import Processor
from lerobot_core.run.check import compare, raise_problems
from lerobot_core.run.rename import RenamedPolicy
from lerobot_core.run.signals import Interrupted, Signals
from lerobot_core.specs import Parts
from lerobot_core.types import Features, Problem

from .config import EPISODES
from .film import Studio
from .play import play
from .process import ProcessStage, make_env
from .result import Result, output_folder, policy_name
from .robot import with_blank
from .slot import EpisodeClock, Slot
from .stage import LocalStage, Stage

if TYPE_CHECKING:
    from lerobot_core.config.bases import Chosen
    from lerobot_core.config.resolve import Resolved
    from lerobot_core.registry import Registry

    from .config import EvalConfig

log = logging.getLogger("lerobot.eval")

MOST_SLOTS = 8
"""Each is a process with its own libraries, about 150 MB."""


def evaluate_env(resolved: Resolved[EvalConfig], registry: Registry) -> int:
    """Play, report, return the exit code: 0 also when stopped, 130 after two signals.

    Raises:
        UserError: env and policy do not fit, or one of them failed.
    """
    from lerobot_core.logs import setup

    config, signals = resolved.config, Signals()
    setup(log_file=config.log_file)
    assert config.env is not None
    name = config.env.name
    result = Result(policy_name(config.policy) or "", "env", name)
    folder = output_folder(config.output_dir, name)
    signals.install()
    try:
        _evaluate(config, registry, signals, result, folder)
    except Interrupted as stopped:
        print(f"stopped: {stopped}", file=sys.stderr)
    finally:
        signals.restore()
    if result.episodes:
        result.write(folder)
    result.report(config.json)
    return signals.exit_code or 0


def _evaluate(config: EvalConfig, registry: Registry, signals: Signals, result: Result, folder: Path) -> None:
    from lerobot_core.terminal import current

    with ExitStack() as stack:
        slots = Builder(config, registry, stack).slots()
        stage = slots[0].stage
        first = config.seed if config.seed is not None else config.world.seed
        count = config.episodes or EPISODES
        _seed_networks(first)
        studio = Studio(config.videos, stage.observation_features, stage.fps, folder)
        signals.poll()
        bar = stack.enter_context(current().progress(count, f"eval {result.name}", "episodes"))
        seeds = range(first, first + count)
        ended = stack.enter_context(closing(play(slots, seeds, studio.film, lambda: bool(signals.received))))
        found = {}
        for index, episode in ended:
            found[index] = episode
            result.episodes = [found[each] for each in sorted(found)]
            result.videos = [str(studio.paths[each]) for each in sorted(found) if each in studio.paths]
            bar.advance()
        if signals.received:
            print(f"stopped: {signals.received}", file=sys.stderr)


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
        config = self._config
        stages = self._stages(slots_wanted(config, config.episodes or EPISODES))
        shared = EpisodeClock()
        processors, seen = self._processors(stages[0])
        policy = self._policy(shared, stages[0], seen)
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

    def _stages(self, count: int) -> list[Stage]:
        """All processes start at once; one slot alone needs none."""
        chosen = self._config.env
        assert chosen is not None
        if count == 1:
            stage = LocalStage(make_env(chosen.name, chosen.config))
            self._stack.callback(stage.close)
            return [stage]
        stages = []
        for _ in range(count):
            stages.append(ProcessStage(chosen.name, chosen.config))
            self._stack.callback(stages[-1].close)
        for each in stages:
            each.meet()
        return list(stages)

    def _policy(self, clock: Clock, stage: Stage, seen: Features) -> Policy:
        chosen = self._config.policy
        assert chosen is not None
        built = self.part(chosen, clock)
        self._stack.callback(built.close)
        renames = self._config.rename_map
        policy: Any = RenamedPolicy(built, renames) if renames else built
        if isinstance(policy, RobotAware):
            policy.bind(seen, stage.action_features)
        return policy  # type: ignore[no-any-return]  # as the hook returns

    def _another(self, clock: Clock, stage: Stage, seen: Features) -> Policy:
        policy = self._policy(clock, stage, seen)
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


def _seed_networks(seed: int) -> None:
    """Policies that draw (diffusion, flow matching) draw the same again."""
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.manual_seed(seed)
