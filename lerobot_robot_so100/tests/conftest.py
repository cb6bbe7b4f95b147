from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from lerobot_core.clock import RealClock
from lerobot_sim.client import SimWorld
from lerobot_sim.worlds import open_world

sys.path.insert(0, str(Path(__file__).parent))


@contextmanager
def opened() -> Iterator[SimWorld]:
    """A scene with an SO-100, without attempts of its own."""
    with pytest.MonkeyPatch.context() as patch:
        # The world is another process and the machine may be busy: give its servos more time than real ones need.
        patch.setattr("lerobot_bus_feetech.bus.BRISK_S", 0.1)
        world = open_world("sim", RealClock(), auto_reset=False)
        try:
            yield world
        finally:
            world.close()


@pytest.fixture(scope="class")
def world() -> Iterator[SimWorld]:
    """One for all tests of a class; for those outside a class, one each."""
    with opened() as world:
        yield world
