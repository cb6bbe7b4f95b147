"""The worlds open in this process, by reference."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from lerobot_core.clock import Clock, RealClock
from lerobot_core.contracts.bus import Motor

from .client import SimWorld

_open: dict[str, SimWorld] = {}


def open_world(ref: str, clock: Clock, seed: int = 0, auto_reset: bool = True) -> SimWorld:
    """Start a world and remember it until it is closed."""
    world = SimWorld(ref, clock, seed, auto_reset)
    _open[ref] = world
    world.on_close = lambda: _forget(ref, world)
    return world


def open_port(ref: str, protocol: str, motors: Mapping[str, Motor]) -> tuple[str, Callable[[], None]]:
    """A port into the open world `ref`; without one, into a world of its own that ends with the port."""
    world = _open.get(ref)
    alone = world is None
    if world is None:
        world = open_world(ref, RealClock())
    path, number = world.open_port(protocol, motors)

    def close() -> None:
        world.close() if alone else world.close_port(number)

    return path, close


def _forget(ref: str, world: SimWorld) -> None:
    if _open.get(ref) is world:
        del _open[ref]
