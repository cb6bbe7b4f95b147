"""Two arms as one device: prefixed keys, two calibrations under the single arm's name, both or neither, and which arm it was."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest
from bench import _open_port, make_bus
from lerobot_core.clock import RealClock
from lerobot_core.config.decode import decode
from lerobot_core.config.origin import Origin
from lerobot_core.conformance.robot import RobotConformance
from lerobot_core.conformance.teleoperator import TeleoperatorConformance
from lerobot_core.errors import BusError, CalibrationError, ConfigError, ContractError
from lerobot_core.registry import default_registry
from lerobot_core.specs import Parts
from lerobot_robot_so100.config import BiSO100FollowerConfig
from lerobot_sim.client import SimWorld
from lerobot_sim.preset import CALIBRATION
from lerobot_sim.worlds import open_world

PORTS = {f"{side}_arm_config": {"port": f"sim:{side}"} for side in ("left", "right")}


@pytest.fixture(scope="class")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Calibrations of `pair_left` and `pair_right`."""
    folder = tmp_path_factory.mktemp("calibration")
    for side in ("left", "right"):
        shutil.copy(CALIBRATION / "virtual.json", folder / f"pair_{side}.json")
    return folder


@pytest.fixture(scope="class")
def worlds() -> Iterator[dict[str, SimWorld]]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("lerobot_bus_feetech.bus.BRISK_S", 0.1)
        found = {side: open_world(f"sim:{side}", RealClock(), auto_reset=False) for side in ("left", "right")}
        try:
            yield found
        finally:
            for world in found.values():
                world.close()


def options(folder: Path) -> dict[str, Any]:
    return {"id": "pair", "calibration_dir": str(folder), **PORTS}


def parts() -> Parts:
    return Parts(clock=RealClock(), make_bus=make_bus, open_port=_open_port)


def followers(folder: Path, **more: Any) -> Any:
    spec = default_registry().spec("robot", "bi_so100_follower")
    return spec.build(decode(spec.config, {**options(folder), **more}, Origin("config")), parts())


class OnTwoVirtualBuses:
    folder: ClassVar[Path]

    @pytest.fixture(autouse=True, scope="class")
    @classmethod
    def _worlds(cls, worlds: dict[str, SimWorld], folder: Path) -> None:
        cls.folder = folder

    def options(self) -> dict[str, Any]:
        return options(self.folder)

    def broken_options(self) -> dict[str, Any]:
        return {"right_arm_config": {"port": "/dev/no_such_port"}}

    def parts(self) -> Parts:
        return parts()


class TestFollowerPair(OnTwoVirtualBuses, RobotConformance):
    name = "bi_so100_follower"
    may_move: ClassVar[bool] = True


class TestLeaderPair(OnTwoVirtualBuses, TeleoperatorConformance):
    name = "bi_so100_leader"


class TestTwoArms:
    """Each test leaves both worlds whole."""

    def test_each_arm_gets_its_own_part(self, worlds: dict[str, SimWorld], folder: Path) -> None:
        pair = followers(folder)
        keys = [f"{side}_{key}" for side in ("left", "right") for key in pair.arms["left"].action_features]
        assert list(pair.action_features) == list(pair.observation_features) == keys
        assert keys[0] == "left_shoulder_pan.pos"
        pair.connect()
        pair.engage()
        start = dict(pair.get_observation())
        moved = {**start, "left_gripper.pos": start["left_gripper.pos"] + 3.0}
        sent = pair.send_action(moved)
        pair.get_observation()  # an exchange after the write: the servos have it
        goals = {side: world.log()[-1]["goals"] for side, world in worlds.items()}
        assert goals["left"]["gripper"] != goals["right"]["gripper"]
        assert sent["left_gripper.pos"] == pytest.approx(moved["left_gripper.pos"], abs=0.1)
        assert pair.is_engaged
        pair.disconnect()
        assert not pair.is_connected

    def test_a_missing_key_moves_neither(self, worlds: dict[str, SimWorld], folder: Path) -> None:
        pair = followers(folder)
        pair.connect()
        pair.engage()
        action = dict(pair.get_observation())
        before = {side: len(world.log()) for side, world in worlds.items()}
        del action["right_gripper.pos"]
        with pytest.raises(ContractError, match=r"right_gripper\.pos"):
            pair.send_action(action)
        assert {side: len(world.log()) for side, world in worlds.items()} == before
        pair.disconnect()

    def test_health_and_flags_say_which_arm(self, worlds: dict[str, SimWorld], folder: Path) -> None:
        pair = followers(folder)
        pair.connect()
        assert [row["motor"] for row in pair.health()][5:7] == ["left_gripper", "right_shoulder_pan"]
        worlds["right"].fault("overload", motor="gripper")
        assert "overload:right_gripper" in pair.get_observation().flags
        pair.disconnect()


def test_a_dead_motor_of_one_arm_stops_both(worlds: dict[str, SimWorld], folder: Path) -> None:
    pair = followers(folder)
    worlds["right"].fault("gone", motor="wrist_flex")
    with pytest.raises(BusError, match="right arm: motor 'wrist_flex'"):
        pair.connect()
    assert not pair.arms["left"].is_connected
    worlds["right"].fault("clear")
    pair.connect()
    pair.engage()
    worlds["left"].fault("gone", motor="wrist_flex")
    with pytest.raises(BusError, match="left arm: "):
        pair.disengage()
    assert not pair.is_engaged
    assert set(pair.arms["right"].servos.bus.sync_read("Torque_Enable").values()) == {0}
    pair.disconnect()


def test_an_arm_without_calibration_is_named_as_the_single_arm_that_it_is(
    worlds: dict[str, SimWorld], folder: Path, tmp_path: Path
) -> None:
    shutil.copy(folder / "pair_left.json", tmp_path)
    with pytest.raises(
        CalibrationError, match=r"right arm: this arm is not calibrated: there is no .*pair_right\.json"
    ):
        followers(tmp_path).connect()


def test_the_standard_place_is_the_single_arms(monkeypatch: pytest.MonkeyPatch, folder: Path, tmp_path: Path) -> None:
    monkeypatch.setenv("HF_LEROBOT_CALIBRATION", str(tmp_path))
    shutil.copytree(folder, tmp_path / "robots" / "so_follower")
    pair = followers(folder, calibration_dir=None)
    assert all(arm.servos.calibration for arm in pair.arms.values())


def test_a_pair_needs_an_id_of_its_own() -> None:
    for wrong in ({}, {"id": "x", "calibration_hash": "sha256:0"}):
        with pytest.raises(ConfigError):
            decode(BiSO100FollowerConfig, {**PORTS, **wrong}, Origin("config"))


def test_lerobots_names_mean_the_same() -> None:
    registry = default_registry()
    spec = registry.spec("robot", "bi_so_follower")
    assert (spec.name, spec.peer_name) == ("bi_so100_follower", "bi_so_follower")
    assert registry.spec("teleoperator", "bi_so_leader").peer_name == "bi_so_leader"
