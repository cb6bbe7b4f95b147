"""Options of the acme processor."""

from __future__ import annotations

from dataclasses import dataclass

from lerobot_core.config.fields import option


@dataclass(frozen=True, kw_only=True)
class AcmeProcessorConfig:
    """What can be typed as `--processor.NAME.OPTION`."""

    share: float = option(0.5, help="how much of each new action is taken; 1 smooths nothing", low=0.01, high=1.0)
