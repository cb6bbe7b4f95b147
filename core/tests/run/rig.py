"""A session on fakes and the virtual clock, in a few words."""

from __future__ import annotations

from typing import Any

from lerobot_core.config.bases import Chosen
from lerobot_core.config.run import RunConfig
from lerobot_core.registry import Registry
from lerobot_core.run.plan import Plan
from lerobot_core.run.session import Session
from lerobot_core.virtual_clock import VirtualClock

KIND = {"teleop": "teleoperator", "dataset": "storage"}


def chosen(registry: Registry, section: str, name: str, instance: str = "", **options: Any) -> Chosen:
    kind = KIND.get(section, section)
    spec = registry.spec(kind, name)
    return Chosen(kind, name, spec, spec.config(**options), instance)


def session(
    verb: str = "rollout", strategy: str = "base", flags: dict[str, Any] | None = None, **sections: Any
) -> Session:
    """`session(robot={}, policy={"latency_s": 0.1}, camera={"front": {}}, flags={"duration": 2.0})`; plugins default to `fake`."""
    registry = Registry()
    values: dict[str, Any] = {"strategy": chosen(registry, "strategy", strategy)}
    sections.setdefault("robot", {})
    for section, options in sections.items():
        if section in ("camera", "operator", "observer", "processor"):
            values[section] = {n: _one(registry, section, o, n) for n, o in options.items()}
        else:
            values[section] = _one(registry, section, options)
    if "policy" in values and "inference" not in values:
        values["inference"] = chosen(registry, "inference", "sync")
    plan = Plan(verb, RunConfig(**values, **(flags or {})), {}, registry)
    return Session(plan, VirtualClock())


def _one(registry: Registry, section: str, options: Any, instance: str = "") -> Any:
    options = dict(options)
    return chosen(registry, section, options.pop("type", "fake"), instance, **options)
