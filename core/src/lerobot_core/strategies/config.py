"""Options of the built-in strategies."""

from __future__ import annotations

from dataclasses import dataclass

from ..config.fields import option


@dataclass(frozen=True, kw_only=True)
class StrategyConfig:
    """What every strategy accepts."""

    keys: dict[str, str] | None = option(None, help="other keys, {event: key}, e.g. {takeover: tab}")
