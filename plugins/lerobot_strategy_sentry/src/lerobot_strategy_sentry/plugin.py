"""What this distribution offers: the strategy `sentry`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lerobot_core.hookspecs import hookimpl
from lerobot_core.specs import Parts, StrategySpec

from .config import SentryConfig

if TYPE_CHECKING:
    from .sentry import SentryStrategy


def _build(config: SentryConfig, parts: Parts) -> SentryStrategy:
    from .sentry import SentryStrategy

    return SentryStrategy(config)


@hookimpl
def lerobot_strategies() -> StrategySpec:
    """sentry."""
    return StrategySpec(
        name="sentry",
        summary="run the policy for hours and record everything it does",
        config=SentryConfig,
        build=_build,
        needs=frozenset({"inference", "storage"}),
    )
