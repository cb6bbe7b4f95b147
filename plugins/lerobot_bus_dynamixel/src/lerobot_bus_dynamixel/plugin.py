"""What this distribution offers; the SDK is imported when a bus is built."""

from __future__ import annotations

from typing import Any

from lerobot_core.hookspecs import hookimpl
from lerobot_core.specs import BusSpec, Parts

from .config import DynamixelConfig


@hookimpl
def lerobot_buses() -> BusSpec:
    """Protocol 2.0, as X-series servos speak it."""

    def build(config: DynamixelConfig, parts: Parts) -> Any:
        from .bus import DynamixelBus

        return DynamixelBus(config, parts.log)

    return BusSpec(
        name="dynamixel",
        summary="Dynamixel X-series servos (XL330, XL430, XC, XM, XH), protocol 2.0",
        config=DynamixelConfig,
        build=build,
        requires=("a serial port",),
    )
