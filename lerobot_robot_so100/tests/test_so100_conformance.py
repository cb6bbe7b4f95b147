"""The conformance kits on followers and leaders, on the virtual bus."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import pytest
from bench import VIRTUAL, _open_port, make_bus
from lerobot_core.calibration import load
from lerobot_core.clock import RealClock
from lerobot_core.conformance.robot import RobotConformance
from lerobot_core.conformance.teleoperator import TeleoperatorConformance
from lerobot_core.specs import Parts
from lerobot_sim.client import SimWorld


class OnTheVirtualBus:
    @pytest.fixture(autouse=True, scope="class")
    @classmethod
    def _world(cls, world: SimWorld) -> None:
        """It outlives what the kit closes after each test."""

    def options(self) -> dict[str, Any]:
        return dict(VIRTUAL)

    def broken_options(self) -> dict[str, Any]:
        return {"port": "/dev/no_such_port"}

    def parts(self) -> Parts:
        calibration = load(Path(VIRTUAL["calibration_dir"]) / "virtual.json")
        return Parts(clock=RealClock(), calibration=calibration, make_bus=make_bus, open_port=_open_port)


class TestSO100Follower(OnTheVirtualBus, RobotConformance):
    name = "so100_follower"
    may_move: ClassVar[bool] = True


class TestSO101Leader(OnTheVirtualBus, TeleoperatorConformance):
    name = "so101_leader"
