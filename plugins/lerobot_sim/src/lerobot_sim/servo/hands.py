"""A person's hands on a limp arm: hold it in the middle, sweep it through its ranges, lay it down."""

from __future__ import annotations

from collections.abc import Sequence

from .drive import Drive, Plant

DWELL_S, TRAVEL_S = 0.4, 0.8
"""Time spent at each end of the ranges, so that a recorder sees it, and from one end to the other."""
SWEEP_S = 2 * DWELL_S + 2 * TRAVEL_S
"""One sweep: middle, low end, high end, middle."""


class Hands:
    """Moves every joint of one arm at once.

    Args:
        plant: the arm.
        drives: its motors; hands let go of one that is switched on.
        rest: where the arm is laid down, as shares of the ranges.
    """

    def __init__(self, plant: Plant, drives: Sequence[Drive], rest: Sequence[float]) -> None:
        self._plant, self._drives, self._rest = plant, list(drives), list(rest)
        self._since: float | None = None
        self._sweeping = False

    @property
    def holding(self) -> bool:
        """The arm is in somebody's hands, and nothing else moves it."""
        return self._since is not None

    def take(self, what: str, now: float) -> float:
        """Begin `middle`, `ranges` or `rest`; returns how many seconds it takes.

        `middle` and the end of `ranges` are held until something else is asked for; `rest` lets go.

        Raises:
            ValueError: anything else.
        """
        if what not in ("middle", "ranges", "rest"):
            raise ValueError(f"hands can do middle, ranges and rest, not {what!r}")
        self._since, self._sweeping = now, what == "ranges"
        if what == "rest":
            self._plant.place(self._rest)
            self._since = None
            return 0.0
        self._plant.place([0.0] * len(self._drives))
        return SWEEP_S if self._sweeping else 0.0

    def move(self, now: float) -> bool:
        """Follow the plan at `now`; True while the arm is held."""
        if self._since is None or any(drive.torque for drive in self._drives):
            self._since = None
            return False
        share = sweep(now - self._since) if self._sweeping else 0.0
        self._plant.place([share] * len(self._drives))
        return True


def sweep(t: float) -> float:
    """Share of the range `t` seconds into a sweep."""
    quarter = TRAVEL_S / 2
    legs = ((quarter, 0, -1), (DWELL_S, -1, -1), (TRAVEL_S, -1, 1), (DWELL_S, 1, 1), (quarter, 1, 0))
    for seconds, start, end in legs:
        if t < seconds:
            return start + (end - start) * max(t, 0.0) / seconds
        t -= seconds
    return 0.0
