"""Options of the acme env."""

from __future__ import annotations

from dataclasses import dataclass

from lerobot_core.config.fields import option


@dataclass(frozen=True, kw_only=True)
class AcmeEnvConfig:
    """What can be typed as `--env.OPTION`."""

    max_steps: int = option(100, help="steps before an episode is cut", low=1)
