"""Options of `--inference rtc`."""

from __future__ import annotations

from dataclasses import dataclass

from lerobot_core.config.fields import option
from lerobot_core.guidance import SCHEDULES

MODES = ("auto", "guided", "trained", "replace", "append")


@dataclass(frozen=True, kw_only=True)
class RtcConfig:
    """How a new chunk continues the one that is being executed."""

    execution_horizon: int = option(
        10, help="steps a new chunk is held to the one it continues; at least the measured delay is used", low=1
    )
    schedule: str = option(
        "LINEAR", help="how the hold weakens from the delay to the horizon", choices=SCHEDULES,
        aliases=("prefix_attention_schedule",),
    )  # fmt: skip
    max_guidance_weight: float = option(10.0, help="the strongest pull in one denoising step", low=0.0)
    mode: str = option(
        "auto",
        help="auto: what the policy can, replace when it takes no guidance; guided, trained: only if it can; "
        "replace, append: unguided, how a chunk joins the queue",
        choices=MODES,
    )
    queue_threshold: int | None = option(
        None,
        help="ask for the next chunk when this many actions are left; default: from the measured latency, "
        "guided at least the horizon",
        low=0,
    )
