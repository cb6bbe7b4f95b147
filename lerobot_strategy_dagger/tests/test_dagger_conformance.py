"""The strategy keeps its kind's laws."""

from __future__ import annotations

from lerobot_core.conformance.strategy import StrategyConformance


class TestDagger(StrategyConformance):
    name = "dagger"


class TestWholeAttempts(StrategyConformance):
    name = "dagger"

    def options(self) -> dict[str, object]:
        return {"record_autonomous": True, "clutch": True}
