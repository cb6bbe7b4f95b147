"""What `lr eval` is told: a run's options, an environment instead of a robot where that is named, and how often."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from lerobot_core.config.bases import Chosen
from lerobot_core.config.fields import option, plugin_field
from lerobot_core.config.run import RunConfig
from lerobot_core.config.schema import declared
from lerobot_core.config.verb import Verb

EPISODES = 50
"""Attempts when nobody says how many."""


@dataclass(frozen=True, kw_only=True)
class EvalConfig(RunConfig):
    """Options of `lr eval`."""

    env: Chosen | None = plugin_field("env", help="a simulated task, instead of a robot")
    episodes: int | None = option(None, help=f"attempts; default: {EPISODES}", low=1)
    seed: int | None = option(
        None, help="of the first attempt, the others count on from it; default: --world.seed", low=0
    )
    output_dir: Path | None = option(
        None, help="where eval.json and videos go; default: outputs/eval/DATE-TIME-NAME", aliases=("output",)
    )
    blank_images: bool = option(False, help="a control run: blank every picture, as --processor.blank blank does")
    videos: int = option(10, help="env: how many episodes to film", low=0)
    slots: int = option(0, help="env: episodes played at once; default: as many as there are, up to 10", low=0)


_NOT_HERE = {"teleop", "episode", "show"}

EVAL = Verb(
    "eval",
    "how often a policy succeeds, in an environment (--env) or on a robot (--robot)",
    EvalConfig,
    accepts=frozenset(declared(EvalConfig)) - _NOT_HERE,
    defaults={"inference": "sync"},
    fixed={"strategy": "eval"},
)
