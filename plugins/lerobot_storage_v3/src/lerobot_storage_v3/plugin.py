"""What this distribution offers: the storage `lerobot`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lerobot_core.hookspecs import hookimpl
from lerobot_core.specs import Parts, StorageSpec

from .config import LerobotStorageConfig

if TYPE_CHECKING:
    from lerobot_core.contracts.storage import Storage, StorageTools
    from lerobot_core.run.plan import Plan
    from lerobot_core.types import Problem


def _build(config: LerobotStorageConfig, parts: Parts) -> Storage:
    from .writer import LerobotStorage

    return LerobotStorage(config, parts)


def _tools() -> StorageTools:
    from .tools import LerobotTools

    return LerobotTools()


@hookimpl
def lerobot_storages() -> StorageSpec:
    """A LeRobotDataset v3.0 in a folder."""
    return StorageSpec(
        name="lerobot",
        summary="LeRobotDataset v3.0; saved episodes survive a crash",
        config=LerobotStorageConfig,
        build=_build,
        tools=_tools,
    )


@hookimpl
def check(plan: Plan) -> list[Problem]:
    """Before anything is connected, and again when the cameras' sizes are known."""
    chosen = plan.config.dataset
    if chosen is None or not plan.records or not isinstance(chosen.config, LerobotStorageConfig):
        return []
    from .precheck import problems

    return problems(chosen.config, plan.config.resume, plan.observation, plan.fps)


@hookimpl
def doctor() -> list[Problem]:
    """Whether anything here can encode video."""
    from .precheck import problems

    return problems(LerobotStorageConfig(repo_id="doctor/doctor"), True, {}, 30.0)
