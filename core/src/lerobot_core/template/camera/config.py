"""Options of the acme camera."""

from __future__ import annotations

from dataclasses import dataclass

from lerobot_core.config.bases import CameraConfig
from lerobot_core.config.fields import option


@dataclass(frozen=True, kw_only=True)
class AcmeCameraConfig(CameraConfig):
    """`optional` is inherited."""

    device: str = option("emulated", help="which camera", primary=True)
    width: int = option(640, help="image width", unit="px", low=1)
    height: int = option(480, help="image height", unit="px", low=1)
    fps: float = option(30.0, help="frames a second", unit="Hz", low=0.1)
