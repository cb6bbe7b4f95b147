"""The conformance kit on both arms, over emulated servos."""

from __future__ import annotations

from typing import Any

import pytest
from koch_bench import Bench
from lerobot_core.conformance.robot import RobotConformance
from lerobot_core.conformance.teleoperator import TeleoperatorConformance
from lerobot_core.specs import Parts


class TestKochFollower(RobotConformance):
    name = "koch_follower"
    may_move = True

    @pytest.fixture(autouse=True)
    def _arm(self, arm: Bench) -> None:
        self.arm = arm

    def options(self) -> dict[str, Any]:
        return {"port": self.arm.path}

    def broken_options(self) -> dict[str, Any]:
        return {"port": "/dev/no_such_port"}

    def parts(self) -> Parts:
        return self.arm.parts()


class TestKoch(TestKochFollower):
    name = "koch"


class TestKochLeader(TeleoperatorConformance):
    name = "koch_leader"

    @pytest.fixture(autouse=True)
    def _hand(self, hand: Bench) -> None:
        self.hand = hand

    def options(self) -> dict[str, Any]:
        return {"port": self.hand.path}

    def broken_options(self) -> dict[str, Any]:
        return {"port": "/dev/no_such_port"}

    def parts(self) -> Parts:
        return self.hand.parts()
