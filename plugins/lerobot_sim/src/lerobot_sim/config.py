"""Options of the simulated camera and of the scripted person."""

from __future__ import annotations

from dataclasses import dataclass

from lerobot_core.config.bases import CameraConfig
from lerobot_core.config.fields import option

WIDTH, HEIGHT, FPS = 640, 480, 30.0
"""Of a camera that is not told otherwise."""


@dataclass(frozen=True, kw_only=True)
class SimCameraConfig(CameraConfig):
    """A camera in a virtual world."""

    index_or_path: str | None = option(None, help="the world it is in, sim or sim:ID; default: the robot's")
    view: str = option("front", help="where it is mounted", choices=("front", "wrist"))


@dataclass(frozen=True, kw_only=True)
class ScriptedConfig:
    """A scripted person who puts the cube in the bin."""

    seed: int = option(0, help="of the person's pauses, aim and tremor", low=0)
    clumsiness: float = option(1.0, help="factor on aim errors, tremor and pauses; 0 is a machine", low=0.0)
    wander: float = option(
        0.0,
        help="share of attempts she begins by moving her hand somewhere else, open or closed: record with a reset time "
        "of two seconds, and demonstrations begin from anywhere",
        low=0.0,
        high=1.0,
    )
