"""Options of core's inference engines."""

from __future__ import annotations

from dataclasses import dataclass

from ..config.fields import option


@dataclass(frozen=True, kw_only=True)
class SyncConfig:
    """`--inference sync`: the policy runs in the loop's thread."""


@dataclass(frozen=True, kw_only=True)
class ChunkedConfig:
    """`--inference chunked`: the policy runs on a thread of its own."""

    queue_threshold: int | None = option(
        None,
        help="ask for the next chunk when this many actions are left; default: from the measured latency",
        low=0,
    )
