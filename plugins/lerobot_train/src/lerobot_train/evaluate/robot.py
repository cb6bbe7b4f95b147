"""`lr eval --robot NAME`: rollout's own run with the strategy `eval`, and its attempts counted."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lerobot_core.config.bases import Chosen
from lerobot_core.errors import UserError
from lerobot_core.run.main import perform

from .result import Episode, Result, keep, output_folder, policy_name

if TYPE_CHECKING:
    from lerobot_core.config.resolve import Resolved
    from lerobot_core.registry import Registry
    from lerobot_core.run.session import Session

    from .config import EvalConfig


def evaluate_robot(resolved: Resolved[EvalConfig], registry: Registry) -> int:
    """Run the attempts, report, return the exit code."""
    config = prepared(resolved.config, registry)
    finished = perform("eval", dataclasses.replace(resolved, config=config), registry)
    result = judged(config, finished.session, finished.summary)
    _tell(finished.session.ending.error)
    keep(result, output_folder(config.output_dir, result.name))
    result.report(config.json)
    return finished.exit_code


def prepared(config: EvalConfig, registry: Registry) -> EvalConfig:
    """The short options put where a run looks for them."""
    assert config.strategy is not None
    if config.episodes is not None:
        strategy = dataclasses.replace(config.strategy.config, episodes=config.episodes)
        config = dataclasses.replace(config, strategy=dataclasses.replace(config.strategy, config=strategy))
    if config.seed is not None:
        config = dataclasses.replace(config, world=dataclasses.replace(config.world, seed=config.seed))
    return dataclasses.replace(config, processor=with_blank(config, registry))


def with_blank(config: EvalConfig, registry: Registry) -> dict[str, Chosen]:
    """The processors, `blank` among them when `--blank-images` asks for it; last, so that no other sees less."""
    if not config.blank_images:
        return config.processor
    spec = registry.spec("processor", "blank")
    return config.processor | {"blank": Chosen("processor", "blank", spec, spec.config(), "blank")}


def judged(config: EvalConfig, session: Session, summary: dict[str, Any]) -> Result:
    """What the strategy found out; a simulated scene's seeds count on from the first."""
    simulated = summary["success"] is not None
    attempts: Any = session.notes.get("attempts", [])
    episodes = [
        Episode(config.world.seed + i if simulated else None, each["success"], seconds=each["seconds"])
        for i, each in enumerate(attempts)
    ]
    assert config.robot is not None
    result = Result(policy_name(config.policy) or "", "robot", session.plan.robot.name, episodes)
    result.videos = _videos(summary["dataset"])
    result.details = {"run": summary}
    return result


def _videos(dataset: dict[str, Any] | None) -> list[str]:
    """What `--dataset.root` recorded of it."""
    return [str(path) for path in sorted(Path(dataset["root"], "videos").rglob("*.mp4"))] if dataset else []


def _tell(error: BaseException | None) -> None:
    if error is not None:
        text = str(error) if isinstance(error, UserError) else f"{type(error).__name__}: {error}"
        print(f"error: {text}", file=sys.stderr)
