"""Telling a few lost packets from a device that is dead."""

from __future__ import annotations

BUS_TOLERANCE_S = 0.5
"""A device that cannot be read for this long is dead; less is a flagged row, or a look missed while parking."""


class Patience:
    """Runs out when a device has been silent for `BUS_TOLERANCE_S`; any answer restores it."""

    def __init__(self) -> None:
        self._since: float | None = None

    def heard(self) -> None:
        """The device has answered."""
        self._since = None

    def lasts(self, now: float) -> bool:
        """It was silent once more at `now`; False when that is enough."""
        self._since = now if self._since is None else self._since
        return now - self._since < BUS_TOLERANCE_S
