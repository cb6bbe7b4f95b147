"""How strongly a new chunk is held to the one that is being executed, step by step (arXiv 2506.07339)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .errors import ConfigError, did_you_mean
from .types import Guide

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SCHEDULES = ("LINEAR", "EXP", "ONES", "ZEROS")


def prefix_weights(guide: Guide, length: int) -> NDArray[np.float32]:
    """Weights (length,) in 0..1 of a chunk's steps; `guide_weights` with what `guide` says and has."""
    return guide_weights(guide.schedule, guide.delay, min(guide.horizon, len(guide.actions)), length)


def guide_weights(schedule: str, delay: int, end: int, length: int) -> NDArray[np.float32]:
    """Weights (length,) in 0..1: 1 where actions are executed before the chunk arrives, 0 from `end` on.

    Between `delay` and `end` they are 1 (ONES), 0 (ZEROS), fall in equal steps that reach neither 1 nor 0 (LINEAR), or
    fall as l * (e^l - 1) / (e - 1) of those steps l (EXP).

    Args:
        schedule: one of `SCHEDULES`.
        delay: actions executed before the chunk arrives.
        end: the execution horizon, at most the actions there are to continue.
        length: steps of a chunk.

    Raises:
        ConfigError: there is no such schedule.
    """
    import numpy as np

    if schedule not in SCHEDULES:
        raise ConfigError(f"there is no schedule {schedule!r}", f"schedules: {', '.join(SCHEDULES)}",
                          did_you_mean(schedule, SCHEDULES))  # fmt: skip
    end = max(min(end, length), 0)
    start = max(min(delay, end), 0)
    weights = np.zeros(length, np.float32)
    weights[:start] = 1.0
    weights[start:end] = _falling(schedule, np.linspace(1.0, 0.0, end - start + 2)[1:-1])
    return weights


def _falling(schedule: str, line: NDArray[Any]) -> Any:
    import numpy as np

    if schedule == "EXP":
        return line * np.expm1(line) / np.expm1(1.0)
    return line if schedule == "LINEAR" else float(schedule == "ONES")
