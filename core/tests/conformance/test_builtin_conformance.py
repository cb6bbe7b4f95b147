"""Every part that core offers keeps its kind's laws."""

from __future__ import annotations

from typing import Any

from lerobot_core.conformance.base import PluginConformance
from lerobot_core.conformance.bus import BusConformance
from lerobot_core.conformance.camera import CameraConformance
from lerobot_core.conformance.env import EnvConformance
from lerobot_core.conformance.inference import InferenceEngineConformance
from lerobot_core.conformance.operator import OperatorConformance
from lerobot_core.conformance.policy import PolicyConformance
from lerobot_core.conformance.processor import ProcessorConformance
from lerobot_core.conformance.robot import RobotConformance
from lerobot_core.conformance.storage import StorageConformance
from lerobot_core.conformance.strategy import StrategyConformance
from lerobot_core.conformance.teleoperator import TeleoperatorConformance
from lerobot_core.kinds import KINDS
from lerobot_core.metadata import CORE
from lerobot_core.registry import Registry


class TestFakeRobot(RobotConformance):
    name = "fake"
    may_move = True

    def broken_options(self) -> dict[str, Any]:
        return {"fault": "bus_gone", "fault_after": 0}


class TestFakeRobotWithLag(TestFakeRobot):
    def options(self) -> dict[str, Any]:
        return {"lag_s": 0.1, "noise": 0.5, "joints": ["slider", "gripper"], "park_pose": {"slider.pos": 1.0}}


class TestFakeTeleoperator(TeleoperatorConformance):
    name = "fake"


class TestActuatedFakeTeleoperator(TeleoperatorConformance):
    name = "fake"

    def options(self) -> dict[str, Any]:
        return {"actuated": True, "seed": 4}


class TestFakeCamera(CameraConformance):
    name = "fake"

    def options(self) -> dict[str, Any]:
        return {"fps": 100, "width": 64, "height": 48}

    def broken_options(self) -> dict[str, Any]:
        return {"fault": "gone", "fault_after": 0}


class TestFakeBus(BusConformance):
    name = "fake"

    def broken_options(self) -> dict[str, Any]:
        return {"silent": ["second"]}


class TestFakePolicy(PolicyConformance):
    name = "fake"

    def options(self) -> dict[str, Any]:
        return {"cameras": ["front"]}


class TestFakeInference(InferenceEngineConformance):
    name = "fake"


class TestSyncInference(InferenceEngineConformance):
    name = "sync"


class TestChunkedInference(InferenceEngineConformance):
    name = "chunked"


class TestFakeStorage(StorageConformance):
    name = "fake"


class TestFakeEnv(EnvConformance):
    name = "fake"


class TestFakeOperator(OperatorConformance):
    name = "fake"

    def options(self) -> dict[str, Any]:
        return {"events": [[9.0, "stop"], [2.0, "takeover"]]}


class TestScriptedOperator(OperatorConformance):
    name = "scripted"

    def options(self) -> dict[str, Any]:
        return {"script": "2.0 takeover; 6.0 takeover; 9.0 stop"}


class TestBaseStrategy(StrategyConformance):
    name = "base"


class TestTeleoperateStrategy(StrategyConformance):
    name = "teleoperate"


class TestRecordStrategy(StrategyConformance):
    name = "record"


class TestReplayStrategy(StrategyConformance):
    name = "replay"


class TestEvalStrategy(StrategyConformance):
    name = "eval"


class TestBlankProcessor(ProcessorConformance):
    name = "blank"


class TestTerminalOperator(OperatorConformance):
    name = "terminal"


def test_nothing_of_core_is_left_out() -> None:
    kits = [kit for kit in globals().values() if isinstance(kit, type) and issubclass(kit, PluginConformance)]
    tested = {(kit.kind, kit.name) for kit in kits}
    offered = {(e.kind, e.name) for e in Registry().entries() if e.distribution == CORE and KINDS[e.kind].contract}
    assert offered - tested == {("robot", "fake_rig")}  # a preset
