"""Options of `--strategy highlight`."""

from __future__ import annotations

from dataclasses import dataclass

from lerobot_core.config.fields import option
from lerobot_core.strategies.config import StrategyConfig


@dataclass(frozen=True, kw_only=True)
class HighlightConfig(StrategyConfig):
    """How much is always at hand."""

    ring_buffer_seconds: float = option(
        30.0, help="what went before the key that is kept with what follows", unit="s", low=0.1, primary=True
    )
    ring_buffer_max_memory_mb: int = option(
        1024, help="encoded video held in memory at most; fewer seconds are kept rather than more", unit="MB", low=1
    )
    save_key: str | None = option(None, help="key that begins and ends a recording; as --strategy.keys '{save: KEY}'")
    push_key: str | None = option(None, help="key that publishes; as --strategy.keys '{push: KEY}'")

    def bindings(self) -> dict[str, str]:
        """The keys asked for, {event: key}."""
        named = {"save": self.save_key, "push": self.push_key}
        return {event: key for event, key in named.items() if key is not None} | dict(self.keys or {})
