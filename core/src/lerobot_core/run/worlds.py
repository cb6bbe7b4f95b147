"""Simulated worlds of a run: one for each distinct reference, opened before anything is built, closed last."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from ..clock import Clock
from ..contracts.world import World
from ..errors import PluginError
from ..registry import Registry
from .plan import Plan

_REFERENCE = re.compile(r"[a-z][a-z0-9_]*(:[\w-]+)?\Z")
_REFERENCE_FIELDS = ("port", "index_or_path", "world")


def references(config: Any, schemes: frozenset[str]) -> tuple[str, ...]:
    """The worlds a device's options refer to (`sim`, `sim:2`), none for real hardware; a pair of arms may be in two."""
    found: list[str] = []
    for field in dataclasses.fields(config):
        value = getattr(config, field.name)
        if dataclasses.is_dataclass(value):
            found += references(value, schemes)
        elif field.name in _REFERENCE_FIELDS and isinstance(value, str) and _REFERENCE.match(value):
            found += [value] if value.partition(":")[0] in schemes else []
    return tuple(dict.fromkeys(found))


class WorldReport(NamedTuple):
    """The summary's `success` block and the worlds' CPU seconds; None without worlds."""

    success: dict[str, int] | None
    cpu_s: float | None


class Worlds:
    """All worlds of a run by reference.

    Args:
        plan: says which devices refer to which world.
        clock: handed to every world.
    """

    def __init__(self, plan: Plan, clock: Clock) -> None:
        schemes = frozenset(entry.name for entry in plan.registry.entries("scheme"))
        self._registry: Registry = plan.registry
        self._clock = clock
        self._options = _options(plan)
        self._refs = {s: refs for s, chosen in plan.chosen() if (refs := references(chosen.config, schemes))}
        self._open: dict[str, World] = {}
        self._attempts: list[dict[str, Any]] = []
        self._cpu_s = 0.0
        self._had_worlds = False

    def open(self) -> None:
        """Open each distinct world.

        Raises:
            PluginError: a reference that no installed plugin answers.
        """
        for ref in dict.fromkeys(ref for refs in self._refs.values() for ref in refs):
            self._registry.load_scheme(ref)
            scheme = ref.partition(":")[0]
            world = self._registry.hook.open_world(id=ref, clock=self._clock, options=self._options)
            if world is None:
                raise PluginError(f"nothing installed can open '{ref}'", fix=f"pip install lerobot-{scheme}")
            self._open[ref] = world

    def of(self, section: str) -> World | None:
        """The world a section's device lives in, the first of several; one without a reference shares the robot's."""
        return next(iter(self.all_of(section)), None)

    def all_of(self, section: str) -> list[World]:
        """Every world a section's device lives in."""
        refs = self._refs.get(section) or self._refs.get("robot") or ()
        return [self._open[ref] for ref in refs if ref in self._open]

    def all(self) -> list[World]:
        """Every open world."""
        return list(self._open.values())

    def close(self) -> None:
        """Close all, keeping what the summary says of them. Idempotent."""
        while self._open:
            world = self._open.popitem()[1]
            # An attempt that has succeeded counts, also when the run ended before the world began the next one.
            self._attempts += [*world.attempts, *([{"success": True}] if world.success() else [])]
            self._cpu_s += float(world.stats().get("cpu_s") or 0.0)
            self._had_worlds = True
            world.close()

    def report(self) -> WorldReport:
        """What the summary says, after `close`."""
        if not self._had_worlds:
            return WorldReport(None, None)
        won = sum(bool(attempt.get("success")) for attempt in self._attempts)
        return WorldReport({"attempts": len(self._attempts), "successes": won}, round(self._cpu_s, 3))


def _options(plan: Plan) -> Mapping[str, Any]:
    config = plan.config.world
    chosen = plan.config.strategy  # `lr doctor` and `lr calibrate` have none
    resets = chosen is not None and chosen.spec.resets_scene
    by_itself = not (resets or plan.config.interactive)
    auto = config.auto_reset if config.auto_reset is not None else by_itself
    return {"seed": config.seed, "auto_reset": auto}


class WorldScene:
    """The robot's world as strategies see it: reset and success, nothing privileged."""

    def __init__(self, world: World) -> None:
        self._world = world

    def reset(self) -> None:
        """The next attempt."""
        self._world.reset(None)

    def success(self) -> bool:
        """Has it succeeded?"""
        return self._world.success()
