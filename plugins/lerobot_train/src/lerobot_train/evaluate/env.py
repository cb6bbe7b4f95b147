"""`lr eval --env NAME`: a policy in a simulated task; no arm, so no safety filter."""

from __future__ import annotations

import sys
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING

from lerobot_core.run.signals import Interrupted, Signals

from .config import EPISODES
from .film import Studio
from .play import play
from .result import Result, keep, output_folder, policy_name
from .setup import Builder

if TYPE_CHECKING:
    from lerobot_core.config.resolve import Resolved
    from lerobot_core.registry import Registry

    from .config import EvalConfig


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
        keep(result, folder)  # also what was found before something failed
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


def _seed_networks(seed: int) -> None:
    """Policies that draw (diffusion, flow matching) draw the same again."""
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.manual_seed(seed)
