"""The conformance kit on the Dynamixel bus."""

from __future__ import annotations

import pytest
from dynamixel_line import DynamixelLine
from lerobot_core.conformance.bus import BusConformance
from lerobot_core.contracts.bus import Motor


class TestDynamixelBus(BusConformance):
    name = "dynamixel"

    @pytest.fixture(autouse=True)
    def _line(self, line: DynamixelLine) -> None:
        self.line = line

    def port(self) -> str:
        return self.line.path

    def motors(self) -> dict[str, Motor]:
        models = {"first": "xl430-w250", "second": "xl330-m288", "third": "xl330-m288"}
        return {name: Motor(id, model, "degrees") for id, (name, model) in enumerate(models.items(), 1)}

    def broken_options(self) -> dict[str, int]:
        return {"baud": 57_600}
