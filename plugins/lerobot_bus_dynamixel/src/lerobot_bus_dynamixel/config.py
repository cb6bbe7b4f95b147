"""Options of a Dynamixel bus."""

from __future__ import annotations

from dataclasses import dataclass

from lerobot_core.config.fields import option


@dataclass(frozen=True, kw_only=True)
class DynamixelConfig:
    """How patient the bus is; an arm passes these on."""

    retries: int = option(2, help="times a lost packet is asked for again", low=0, high=20)
    budget_ms: float = option(
        11.0, help="no packet is asked for again after this long; a third of a 30 Hz period", unit="ms", low=0.0
    )
    baud: int = option(1_000_000, help="bits a second", low=9_600, high=4_000_000)
