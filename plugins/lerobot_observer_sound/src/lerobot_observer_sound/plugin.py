"""What this distribution offers: the observer `sound`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lerobot_core.hookspecs import hookimpl
from lerobot_core.specs import ObserverSpec, Parts
from lerobot_core.types import Problem

from .config import SoundConfig

if TYPE_CHECKING:
    from lerobot_core.run.plan import Plan

    from .observer import SoundObserver


def _build(config: SoundConfig, parts: Parts) -> SoundObserver:
    from .observer import SoundObserver
    from .voices import voice

    return SoundObserver(config, voice(config.voice, parts.terminal), parts.log)


@hookimpl
def lerobot_observers() -> ObserverSpec:
    """sound."""
    return ObserverSpec(
        name="sound",
        summary="says aloud what the run tells the person at the arm",
        config=SoundConfig,
        build=_build,
    )


@hookimpl
def check(plan: Plan) -> list[Problem]:
    """A voice that was named and is not installed."""
    from .voices import missing

    ours = {name: c.config for name, c in plan.config.observer.items() if isinstance(c.config, SoundConfig)}
    return [
        Problem("error", f"observer.{name}.voice", f"{config.voice} is not installed", "another voice, or auto")
        for name, config in ours.items()
        if missing(config.voice)
    ]
