"""The episode state machine that `record` and `episodic` share: record, reset, record, …, done.

It knows time and events, not storage: each call says what to do next.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ..types import Event, Outcome

Phase = Literal["recording", "resetting", "done"]
Ending = Literal["save", "discard"]
_LABELS: dict[str, Outcome] = {"success": "success", "failure": "failure"}


@dataclass
class EpisodeMachine:
    """Counts episodes and decides when each ends.

    Args:
        count: episodes to save.
        episode_s: longest episode, 0 for no limit.
        reset_s: length of the reset phase.
    """

    count: int
    episode_s: float
    reset_s: float
    phase: Phase = "recording"
    saved: int = 0
    outcome: Outcome = "none"
    _since: float | None = None

    def advance(self, t: float, events: tuple[Event, ...] = (), succeeded: bool = False) -> Ending | None:
        """Take one period's events at time `t`; the ending of the episode in progress, if this is it.

        After "save" or "discard" the phase is `resetting`, or `done` after the last episode.
        """
        if self._since is None:
            self._since = t
        names = [event.name for event in events]
        if self.phase == "resetting":
            if "next" in names or "start" in names or t - self._since >= self.reset_s:
                self._enter("recording", t)
            return None
        return self._recording(t, names, succeeded) if self.phase == "recording" else None

    def _recording(self, t: float, names: list[str], succeeded: bool) -> Ending | None:
        for name in names:
            self.outcome = _LABELS.get(name, self.outcome)
        if "rerecord" in names or "discard" in names:
            self._enter("resetting", t)
            return "discard"
        if succeeded and self.outcome == "none":
            self.outcome = "success"
        if t == self._since:
            return None  # nothing is recorded yet, and an episode without rows cannot be saved
        timed_out = self.episode_s > 0 and self._since is not None and t - self._since >= self.episode_s - 1e-9
        if not (succeeded or timed_out or "next" in names):
            return None
        self.saved += 1
        self._enter("done" if self.saved >= self.count else "resetting", t)
        return "save"

    def take_outcome(self) -> Outcome:
        """The label of the episode that just ended; the next one starts without."""
        outcome, self.outcome = self.outcome, "none"
        return outcome

    def _enter(self, phase: Phase, t: float) -> None:
        self.phase, self._since = phase, t
