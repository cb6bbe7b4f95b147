"""Options of the acme observer."""

from __future__ import annotations

from dataclasses import dataclass

from lerobot_core.config.fields import option


@dataclass(frozen=True, kw_only=True)
class AcmeObserverConfig:
    """What can be typed as `--observer.NAME.OPTION`."""

    every: int = option(100, help="rows between two lines of the log", low=1)
