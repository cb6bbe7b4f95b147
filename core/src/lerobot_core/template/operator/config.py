"""Options of the acme operator."""

from __future__ import annotations

from dataclasses import dataclass

from lerobot_core.config.fields import option


@dataclass(frozen=True, kw_only=True)
class AcmeOperatorConfig:
    """What can be typed as `--operator.NAME.OPTION`."""

    stop_after: float = option(60.0, help="seconds after the first action at which it stops the run", unit="s", low=0.0)
