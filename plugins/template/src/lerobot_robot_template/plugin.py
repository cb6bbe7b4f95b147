"""What lerobot-robot-template offers. Naming the plugin imports this file: heavy imports belong inside `build`."""

from __future__ import annotations

from typing import Any

from lerobot_core.hookspecs import hookimpl
from lerobot_core.specs import Parts, RobotSpec

from .config import TemplateRobotConfig


@hookimpl
def lerobot_robots() -> RobotSpec:
    """Called when `template` is named."""

    def build(config: TemplateRobotConfig, parts: Parts) -> Any:
        from .robot import TemplateRobot

        return TemplateRobot(config, parts.clock)

    return RobotSpec(
        name="template",
        summary="an emulated arm",
        config=TemplateRobotConfig,
        build=build,
    )
