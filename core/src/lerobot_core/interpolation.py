"""More sends than decisions: a straight line from one action to the next."""

from __future__ import annotations

from .types import Action


class Interpolator:
    """`--interpolation M`: each period is sent as M equal steps that end on the period's own action.

    Args:
        multiplier: M >= 1 sends a period.
    """

    def __init__(self, multiplier: int) -> None:
        if multiplier < 1:
            raise ValueError(f"interpolation multiplier must be at least 1, not {multiplier}")
        self.multiplier = multiplier
        self._previous: Action | None = None

    def between(self, action: Action) -> list[Action]:
        """previous + i/M (action - previous), i = 1..M; just `[action]` when there is no previous one."""
        previous, self._previous = self._previous, action
        if previous is None or self.multiplier == 1:
            return [action]
        between = [i / self.multiplier for i in range(1, self.multiplier)]
        return [{k: previous[k] + f * (v - previous[k]) for k, v in action.items()} for f in between] + [action]

    def reset(self, previous: Action | None = None) -> None:
        """Forget the previous action, or start from `previous` (what the robot last got)."""
        self._previous = previous
