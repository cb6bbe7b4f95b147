"""Options of the built-in strategies."""

from __future__ import annotations

from dataclasses import dataclass

from ..config.fields import option


@dataclass(frozen=True, kw_only=True)
class StrategyConfig:
    """What every strategy accepts."""

    keys: dict[str, str] | None = option(None, help="other keys, {event: key}, e.g. {takeover: tab}")


@dataclass(frozen=True, kw_only=True)
class EvalStrategyConfig(StrategyConfig):
    """How many attempts, and how long each may take."""

    episodes: int = option(50, help="attempts", low=1)
    episode_time_s: float = option(20.0, help="longest attempt", unit="s", low=0.1)
    reset_time_s: float = option(
        10.0, help="time for a person to reset the scene; a simulated one resets itself", unit="s", low=0.0
    )
