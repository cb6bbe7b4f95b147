"""What this distribution offers; the SDK is imported when a bus is built."""

from __future__ import annotations

from typing import Any

from lerobot_core.hookspecs import hookimpl
from lerobot_core.specs import BusSpec, Parts

from .config import FeetechConfig


@hookimpl
def lerobot_buses() -> BusSpec:
    """Protocol 0, as STS and SMS servos speak it."""

    def build(config: FeetechConfig, parts: Parts) -> Any:
        from .bus import FeetechBus

        return FeetechBus(config, parts.log)

    return BusSpec(
        name="feetech",
        summary="Feetech STS and SMS servos (STS3215, STS3250, SM8512BL)",
        config=FeetechConfig,
        build=build,
        requires=("a serial port",),
    )
