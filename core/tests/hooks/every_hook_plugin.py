"""Implements every hook; installed by the tests as `every_hook.plugin`."""

from __future__ import annotations

import dataclasses
from collections.abc import Generator
from typing import Any

from lerobot_core import commands
from lerobot_core.config.fields import option
from lerobot_core.fakes import plugin as fakes
from lerobot_core.fakes.config import FakeRobotConfig
from lerobot_core.hookspecs import hookimpl
from lerobot_core.specs import ObserverSpec, Overlay, ProcessorSpec, RewardSpec, RobotSpec, StrategySpec
from lerobot_core.types import Problem

CALLS: list[tuple[str, Any]] = []


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config:
    """Nothing to choose."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class RobotConfig(FakeRobotConfig):
    """A fake robot that lives in a world of ours when its port says so."""

    port: str = option("real", help="where it is")


def _build_robot(config: Any, parts: Any) -> Any:
    from lerobot_core.fakes.robot import FakeRobot

    path, close = parts.open_port(config.port, "every", {}) or (config.port, None)
    CALLS.append(("path", path))
    if close is not None:
        close()
    return FakeRobot(config, parts.clock)


class Holder:
    """Holds."""

    requires: frozenset[Any] = frozenset()

    def setup(self, run: Any) -> None: ...

    def command(self, tick: Any) -> Any:
        return commands.Hold()

    def record(self, step: Any) -> None: ...

    def teardown(self, error: Any) -> None: ...


class World:
    """Nothing happens in it."""

    attempts: list[Any] = []

    def success(self) -> bool:
        return False

    def stats(self) -> dict[str, Any]:
        return {"cpu_s": 0.0}

    def close(self) -> None:
        CALLS.append(("world closed", None))


# --- catalogue


@hookimpl
def lerobot_robots() -> Any:
    return RobotSpec(name="every", summary="s", config=RobotConfig, build=_build_robot)


@hookimpl
def lerobot_teleoperators() -> Any:
    return dataclasses.replace(fakes.lerobot_teleoperators(), name="every")


@hookimpl
def lerobot_cameras() -> Any:
    return dataclasses.replace(fakes.lerobot_cameras(), name="every")


@hookimpl
def lerobot_buses() -> Any:
    return dataclasses.replace(fakes.lerobot_buses(), name="every")


@hookimpl
def lerobot_policies() -> Any:
    return dataclasses.replace(fakes.lerobot_policies(), name="every")


@hookimpl
def lerobot_inference_engines() -> Any:
    return dataclasses.replace(fakes.lerobot_inference_engines(), name="every")


@hookimpl
def lerobot_strategies() -> Any:
    return StrategySpec(name="every", summary="s", config=Config, build=lambda config, parts: Holder())


@hookimpl
def lerobot_storages() -> Any:
    return dataclasses.replace(fakes.lerobot_storages(), name="every")


@hookimpl
def lerobot_envs() -> Any:
    return dataclasses.replace(fakes.lerobot_envs(), name="every")


@hookimpl
def lerobot_processors() -> Any:
    return ProcessorSpec(name="every", summary="s", config=Config, build=lambda config, parts: None)


@hookimpl
def lerobot_rewards() -> Any:
    return RewardSpec(name="every", summary="s", config=Config, build=lambda config, parts: None)


@hookimpl
def lerobot_operators() -> Any:
    return dataclasses.replace(fakes.lerobot_operators(), name="every")


@hookimpl
def lerobot_observers() -> Any:
    return ObserverSpec(name="every", summary="s", config=Config, build=lambda config, parts: None)


# --- names and runs


@hookimpl
def resolve(kind: str, ref: str) -> Any:
    CALLS.append(("resolve", (kind, ref)))
    return Overlay("every", {"camera": {"front": {"type": "fake"}}}) if kind == "camera" else None


@hookimpl
def check(plan: Any) -> Any:
    CALLS.append(("check", bool(plan.action)))
    if plan.config.task == "impossible":
        return [Problem("error", "task", "it cannot be done", "ask for less")]
    return [Problem("warning", "robot", "it is dusty")]


@hookimpl
def open_world(id: str, clock: Any, options: Any) -> Any:
    CALLS.append(("open_world", (id, dict(options))))
    return World() if id.startswith("every") else None


@hookimpl
def open_port(ref: str, protocol: str, motors: Any) -> Any:
    CALLS.append(("open_port", (ref, protocol)))
    return ("/a/path", lambda: CALLS.append(("port closed", ref))) if ref.startswith("every") else None


@hookimpl(wrapper=True)
def build(kind: str, spec: Any, config: Any, parts: Any) -> Generator[None, Any, Any]:
    built = yield
    CALLS.append(("build", (kind, spec.name, type(built).__name__)))
    return built


@hookimpl
def run_start(plan: Any) -> None:
    CALLS.append(("run_start", plan.verb))


@hookimpl
def run_end(plan: Any, summary: Any) -> None:
    CALLS.append(("run_end", summary["outcome"]))


@hookimpl
def episode_start(index: int) -> None:
    CALLS.append(("episode_start", index))


@hookimpl
def episode_end(index: int, outcome: str, saved: bool) -> None:
    CALLS.append(("episode_end", (index, outcome, saved)))


@hookimpl
def step(step: Any) -> None:
    CALLS.append(("step", step.index))


@hookimpl
def doctor() -> Any:
    return [Problem("warning", "every", "it has a cold")]


@hookimpl
def find() -> Any:
    return [{"kind": "robot", "id": "every-1", "name": "every", "detail": "on the shelf"}]
