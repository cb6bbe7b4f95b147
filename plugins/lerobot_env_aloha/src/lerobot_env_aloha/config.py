"""Options of `--env aloha`."""

from __future__ import annotations

from dataclasses import dataclass

from lerobot_core.config.fields import option

TASKS = ("insertion", "transfer_cube")


@dataclass(frozen=True, kw_only=True)
class AlohaConfig:
    """Which task, how it is drawn, and how long an episode may last."""

    task: str = option("insertion", help="what to do", choices=TASKS, primary=True)
    image_height: int = option(480, help="height of its picture", unit="px", low=16, high=480)
    image_width: int = option(640, help="width of its picture", unit="px", low=16, high=640)
    max_steps: int = option(400, help="steps before an episode is cut", low=1)
