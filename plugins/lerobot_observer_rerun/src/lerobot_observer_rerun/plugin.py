"""What this distribution offers: the observer `rerun`."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from lerobot_core.hookspecs import hookimpl
from lerobot_core.specs import ObserverSpec, Parts
from lerobot_core.types import Problem

from .config import RerunConfig

if TYPE_CHECKING:
    from lerobot_core.run.plan import Plan

    from .observer import RerunObserver


def _build(config: RerunConfig, parts: Parts) -> RerunObserver:
    from .observer import RerunObserver

    return RerunObserver(config, parts)


@hookimpl
def lerobot_observers() -> ObserverSpec:
    """rerun."""
    return ObserverSpec(
        name="rerun", summary="joints, actions and cameras in the Rerun viewer", config=RerunConfig, build=_build
    )


@hookimpl
def check(plan: Plan) -> list[Problem]:
    """Options that exclude each other, and a viewer where there is no screen."""
    ours = {name: c.config for name, c in plan.config.observer.items() if isinstance(c.config, RerunConfig)}
    found = ((name, config.wrong() or _no_screen(config)) for name, config in ours.items())
    return [Problem("error", f"observer.{name}", *wrong) for name, wrong in found if wrong is not None]


def _no_screen(config: RerunConfig) -> tuple[str, str] | None:
    if config.address or config.save or not sys.platform.startswith("linux"):
        return None
    if os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"):
        return None
    return "there is no screen here for a viewer", "--observer.rerun.save run.rrd, or --observer.rerun.address HOST"
