"""Devices on the bench: what was named, ready to be built one by one, with the simulated worlds they are in; nothing runs."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..clock import RealClock
from ..run.build import Builder
from ..run.plan import Plan
from ..run.worlds import Worlds
from ..terminal import Terminal, current

if TYPE_CHECKING:
    from ..config.origin import Origins
    from ..config.run import RunConfig
    from ..registry import Registry


@dataclass(frozen=True)
class Workbench:
    """What a verb that looks at single devices needs."""

    builder: Builder
    worlds: Worlds
    clock: RealClock
    terminal: Terminal


@contextmanager
def workbench(verb: str, config: RunConfig, origins: Origins, registry: Registry) -> Iterator[Workbench]:
    """Worlds are opened, without attempts of their own, and closed at the end."""
    config = dataclasses.replace(config, world=dataclasses.replace(config.world, auto_reset=False))
    clock = RealClock()
    plan = Plan(verb, config, origins, registry)
    worlds = Worlds(plan, clock)
    with current() as terminal:
        try:
            worlds.open()
            yield Workbench(Builder(plan, clock, worlds, terminal), worlds, clock, terminal)
        finally:
            worlds.close()
