"""How long to wait for an answer, and when to try again."""

from __future__ import annotations

from lerobot_core.inference.latency import percentile

RECENT = 20
FACTOR, SLACK_S = 3.0, 0.5
FIRST_RETRY_S, SLOWEST_RETRY_S = 0.1, 2.0


class Patience:
    """Deadlines from the recent round trips: a lost message costs a few of those, not the whole `longest`.

    Each miss in a row doubles the wait, so a server that became slower for good is heard again.

    Args:
        longest: no deadline is later than this.
    """

    def __init__(self, longest: float) -> None:
        self._longest = longest
        self._recent: list[float] = []
        self.misses = 0

    def answered(self, seconds: float) -> None:
        """An answer came after `seconds`."""
        self._recent = [*self._recent[-RECENT + 1 :], seconds]
        self.misses = 0

    def missed(self) -> None:
        """None came in time."""
        self.misses += 1

    @property
    def deadline_s(self) -> float:
        """How long to wait for the next one."""
        usual = self.expected_s
        return self._longest if usual is None else min(self._longest, usual * 2.0**self.misses)

    @property
    def expected_s(self) -> float | None:
        """Later than this is late; None before the first answer."""
        return FACTOR * percentile(self._recent, 0.95) + SLACK_S if self._recent else None


class Backoff:
    """When to open a session again: soon, then less and less often."""

    def __init__(self) -> None:
        self._wait = FIRST_RETRY_S
        self._next = 0.0

    def due(self, now: float) -> bool:
        """Is it time?"""
        return now >= self._next

    def left(self, now: float) -> float:
        """Seconds until it is."""
        return max(self._next - now, 0.0)

    def failed(self, now: float) -> None:
        """It did not work at `now`."""
        self._next = now + self._wait
        self._wait = min(2.0 * self._wait, SLOWEST_RETRY_S)

    def worked(self) -> None:
        """Begin anew next time."""
        self._wait, self._next = FIRST_RETRY_S, 0.0
