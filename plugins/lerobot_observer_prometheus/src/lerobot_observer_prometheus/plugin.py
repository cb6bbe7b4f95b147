"""What this distribution offers: the observer `prometheus`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lerobot_core.hookspecs import hookimpl
from lerobot_core.specs import ObserverSpec, Parts
from lerobot_core.types import Problem

from .config import PrometheusConfig

if TYPE_CHECKING:
    from lerobot_core.run.plan import Plan

    from .observer import PrometheusObserver


def _build(config: PrometheusConfig, parts: Parts) -> PrometheusObserver:
    from .observer import PrometheusObserver

    return PrometheusObserver(config, parts.log)


@hookimpl
def lerobot_observers() -> ObserverSpec:
    """prometheus."""
    return ObserverSpec(
        name="prometheus",
        summary="figures of the run for a Prometheus server to scrape",
        config=PrometheusConfig,
        build=_build,
    )


@hookimpl
def check(plan: Plan) -> list[Problem]:
    """Nothing is offered to other machines in the clear."""
    ours = {name: c.config for name, c in plan.config.observer.items() if isinstance(c.config, PrometheusConfig)}
    found = ((name, config.wrong()) for name, config in ours.items())
    return [Problem("error", f"observer.{name}", *wrong) for name, wrong in found if wrong is not None]
