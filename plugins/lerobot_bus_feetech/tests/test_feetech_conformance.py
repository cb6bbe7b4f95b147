"""The conformance kit on the Feetech bus."""

from __future__ import annotations

import pytest
from lerobot_core.conformance.bus import BusConformance
from lerobot_core.contracts.bus import Motor
from servo_line import ServoLine


class TestFeetechBus(BusConformance):
    name = "feetech"

    @pytest.fixture(autouse=True)
    def _line(self, line: ServoLine) -> None:
        self.line = line

    def options(self) -> dict[str, float]:
        return {"retries": 20, "budget_ms": 1000.0}

    def port(self) -> str:
        return self.line.path

    def motors(self) -> dict[str, Motor]:
        return {name: Motor(id, "sts3215", "degrees") for id, name in enumerate(("first", "second", "third"), 1)}

    def broken_options(self) -> dict[str, int]:
        return {"baud": 500_000}
