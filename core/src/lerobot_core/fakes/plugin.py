"""What the fakes offer; nothing is built, and no array library imported, before it is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..hookspecs import hookimpl
from ..specs import (
    BusSpec,
    CameraSpec,
    EnvSpec,
    InferenceSpec,
    OperatorSpec,
    Overlay,
    Parts,
    PolicySpec,
    RobotSpec,
    StorageSpec,
    TeleoperatorSpec,
)
from . import config as configs
from .joints import joint_features

if TYPE_CHECKING:
    from .reader import FakeStorageTools


@hookimpl
def lerobot_robots() -> RobotSpec:
    """The ideal arm."""

    def build(config: configs.FakeRobotConfig, parts: Parts) -> Any:
        from .robot import FakeRobot

        return FakeRobot(config, parts.clock)

    return RobotSpec(
        name="fake",
        summary="an ideal arm without hardware",
        config=configs.FakeRobotConfig,
        build=build,
        peer_name="fake",
    )


@hookimpl
def lerobot_teleoperators() -> TeleoperatorSpec:
    """The steady hand."""

    def build(config: configs.FakeTeleoperatorConfig, parts: Parts) -> Any:
        from .teleoperator import FakeTeleoperator

        return FakeTeleoperator(config, parts.clock)

    return TeleoperatorSpec(
        name="fake",
        summary="swings every joint by the clock",
        config=configs.FakeTeleoperatorConfig,
        build=build,
        peer_name="fake",
    )


@hookimpl
def lerobot_cameras() -> CameraSpec:
    """The test pattern."""

    def build(config: configs.FakeCameraConfig, parts: Parts) -> Any:
        from .camera import FakeCamera

        return FakeCamera(config, parts.clock)

    return CameraSpec(
        name="fake", summary="a moving test pattern with frame numbers", config=configs.FakeCameraConfig, build=build
    )


@hookimpl
def lerobot_buses() -> BusSpec:
    """The dictionary."""

    def build(config: configs.FakeBusConfig, parts: Parts) -> Any:
        from .bus import FakeBus

        return FakeBus(config)

    return BusSpec(name="fake", summary="servos that are a dictionary", config=configs.FakeBusConfig, build=build)


@hookimpl
def lerobot_policies() -> PolicySpec:
    """The wave."""

    def build(config: configs.FakePolicyConfig, parts: Parts) -> Any:
        from .policy import FakePolicy

        return FakePolicy(config, parts.clock)

    return PolicySpec(name="fake", summary="a smooth motion by the clock", config=configs.FakePolicyConfig, build=build)


@hookimpl
def lerobot_inference_engines() -> InferenceSpec:
    """The constant."""

    def build(config: configs.FakeInferenceConfig, parts: Parts) -> Any:
        from .inference import FakeInference

        return FakeInference(config)

    return InferenceSpec(
        name="fake",
        summary="always wants the same pose",
        config=configs.FakeInferenceConfig,
        build=build,
        needs_policy=False,
    )


@hookimpl
def lerobot_storages() -> StorageSpec:
    """The list of episodes."""

    def build(config: configs.FakeStorageConfig, parts: Parts) -> Any:
        from .storage import FakeStorage

        return FakeStorage(config)

    def tools() -> FakeStorageTools:
        from .reader import FakeStorageTools

        return FakeStorageTools()

    return StorageSpec(
        name="fake",
        summary="rows in memory, and as JSON lines when it has a root",
        config=configs.FakeStorageConfig,
        build=build,
        tools=tools,
    )


@hookimpl
def lerobot_envs() -> EnvSpec:
    """The reaching task."""

    def build(config: configs.FakeEnvConfig, parts: Parts) -> Any:
        from .env import FakeEnv

        return FakeEnv(config)

    return EnvSpec(name="fake", summary="bring every joint to its target", config=configs.FakeEnvConfig, build=build)


@hookimpl
def lerobot_operators() -> OperatorSpec:
    """The list of events."""

    def build(config: configs.FakeOperatorConfig, parts: Parts) -> Any:
        from .operator import FakeOperator

        return FakeOperator(config, parts.clock)

    return OperatorSpec(name="fake", summary="follows a list of events", config=configs.FakeOperatorConfig, build=build)


@hookimpl
def resolve(kind: str, ref: str) -> Overlay | None:
    """`fake_rig`: the fake arm with a camera in front and a pose to park in."""
    if (kind, ref) != ("robot", "fake_rig"):
        return None
    park = dict.fromkeys(joint_features(), 0.0)
    robot = {"type": "fake", "id": "rig", "park_pose": park}
    return Overlay("fake_rig", {"robot": robot, "camera": {"front": {"type": "fake"}}})
