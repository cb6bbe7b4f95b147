"""The episode state machine that `record` and `episodic` share: record, reset, record, …, done.

It knows time and events, not storage: each call says what to do next.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ..contracts.strategy import Scene
from ..types import Event, Outcome

SETTLE_S = 0.5
"""After a simulated success the episode goes on this long, so that its last rows show the arm at rest."""
Phase = Literal["recording", "resetting", "done"]
Ending = Literal["save", "discard"]
LABELS: dict[str, Outcome] = {"success": "success", "failure": "failure"}
"""What the operator's events make of the episode in progress."""


class SceneWatch:
    """Tells when a simulated attempt has succeeded for `SETTLE_S`; a real scene never says so."""

    def __init__(self, scene: Scene | None) -> None:
        self._scene = scene
        self._succeeded_at: float | None = None

    def settled(self, t: float) -> bool:
        """Asked once a tick, at time `t`."""
        if self._scene is None or not self._scene.success():
            self._succeeded_at = None
            return False
        if self._succeeded_at is None:
            self._succeeded_at = t
        return t - self._succeeded_at >= SETTLE_S

    def reset(self) -> None:
        """Put the scene back, where there is one."""
        self._succeeded_at = None
        if self._scene is not None:
            self._scene.reset()


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

    def advance(
        self, t: float, events: tuple[Event, ...] = (), succeeded: bool = False, recorded: bool = True
    ) -> Ending | None:
        """Take one period's events at time `t`; the ending of the episode in progress, if this is it.

        After "save" or "discard" the phase is `resetting`, or `done` after the last episode. While the episode has no
        row (`recorded` False: the policy computes its first action) its time does not run and nothing ends it.
        """
        if self._since is None:
            self._since = t
        names = [event.name for event in events]
        if self.phase == "resetting":
            if "next" in names or "start" in names or t - self._since >= self.reset_s:
                self._enter("recording", t)
            return None
        if self.phase == "recording" and not recorded:
            self._since = t
        return self._recording(t, names, succeeded) if self.phase == "recording" else None

    def _recording(self, t: float, names: list[str], succeeded: bool) -> Ending | None:
        for name in names:
            self.outcome = LABELS.get(name, self.outcome)
        if ("rerecord" in names or "discard" in names) and t != self._since:
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

    def saved_line(self) -> str:
        """What to tell the person after a save; one that the end of the run saves was never counted."""
        number = self.saved + (self.phase == "recording")
        left = f"; reset the scene, {self.count - self.saved} to go" if self.phase == "resetting" else ""
        return f"episode {number} saved{left}"

    def take_outcome(self) -> Outcome:
        """The label of the episode that just ended; the next one starts without."""
        outcome, self.outcome = self.outcome, "none"
        return outcome

    def _enter(self, phase: Phase, t: float) -> None:
        self.phase, self._since = phase, t
