"""Options of the acme strategy."""

from __future__ import annotations

from dataclasses import dataclass

from lerobot_core.config.fields import option


@dataclass(frozen=True, kw_only=True)
class AcmeStrategyConfig:
    """What can be typed as `--strategy.OPTION`."""

    rest_s: float = option(2.0, help="how long to hold after each success", unit="s", low=0.0)
