"""Rows become episodes: one a correction, or one an attempt."""

from __future__ import annotations

from lerobot_core.contracts.storage import Storage
from lerobot_core.contracts.strategy import Run
from lerobot_core.strategies.publishing import Publisher
from lerobot_core.types import Outcome, Step


class Recorder:
    """Keeps count of the episode in progress; an episode begins with a row in which policy or person acted.

    Args:
        run: whose messages.
        storage: open.
        count: episodes after which the run is done.
        publisher: told of every saved episode.

    Attributes:
        rows: of the episode in progress.
        saved: episodes so far.
        what: what an episode is called on screen.
    """

    def __init__(self, run: Run, storage: Storage, count: int, publisher: Publisher, what: str) -> None:
        self._run, self._storage, self._count, self._publisher = run, storage, count, publisher
        self.what = what
        self.rows = self.saved = 0
        self._begun = False
        self._outcome: Outcome = "none"

    @property
    def done(self) -> bool:
        """As many as were asked for."""
        return self.saved >= self._count

    @property
    def number(self) -> str:
        """`attempt 3 of 20`."""
        return f"{self.what} {self.saved + 1} of {self._count}"

    def add(self, step: Step) -> None:
        """One row; holds before the first action of an episode are not part of it."""
        self._begun |= step.source in ("policy", "human")
        if self._begun and not self.done:
            self._storage.add_frame(step)
            self.rows += 1

    def label(self, outcome: Outcome) -> None:
        """The verdict on the episode in progress; the last one counts."""
        if not self.rows:
            self._run.notify(f"no {self.what} is being recorded, so there is nothing to label")
            return
        self._outcome = outcome
        self._run.notify(f"{self.number}: {outcome}")

    def judge(self, outcome: Outcome) -> None:
        """The scene's verdict; a person's goes before it."""
        if self._outcome == "none":
            self._outcome = outcome

    def save(self) -> None:
        """Close the episode, if anything was recorded."""
        if not self.rows:
            self._run.notify("nothing was recorded, so nothing was saved")
            return
        self.cut()
        self._begun = False

    def cut(self) -> None:
        """Close a file that is full; the next one goes on without losing a row."""
        ticket = self._storage.save_episode(self._outcome)
        self._run.notify(f"{self.number} saved, {self.rows} rows")
        self._run.episode += 1
        self.saved += 1
        self._forget()
        self._publisher.saved(ticket)

    def discard(self) -> None:
        """Forget the episode in progress."""
        if not self.rows:
            self._run.notify(f"no {self.what} is being recorded, so there is nothing to discard")
            return
        self._storage.discard_episode()
        self._run.notify(f"{self.number} discarded, {self.rows} rows")
        self._forget()
        self._begun = False

    def _forget(self) -> None:
        self.rows, self._outcome = 0, "none"
