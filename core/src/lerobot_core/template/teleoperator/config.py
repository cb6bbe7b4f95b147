"""Options of the acme teleoperator."""

from __future__ import annotations

from dataclasses import dataclass

from lerobot_core.config.bases import DeviceConfig
from lerobot_core.config.fields import option


@dataclass(frozen=True, kw_only=True)
class AcmeTeleoperatorConfig(DeviceConfig):
    """`id`, `calibration_dir` and `calibration_hash` are inherited."""

    port: str = option("emulated", help="where it is connected")
