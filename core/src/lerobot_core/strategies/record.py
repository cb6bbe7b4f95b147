"""`record`: teleoperated episodes with a reset phase between them."""

from __future__ import annotations

from .. import commands
from ..contracts.storage import Storage
from ..contracts.strategy import Need, Run
from ..errors import UsageError
from ..types import Step, Tick
from .episodes import EpisodeMachine, SceneWatch


class RecordStrategy:
    """Next, re-record, stop, labels and the reset phase; the rows are the storage's."""

    requires: frozenset[Need] = frozenset({"teleoperator", "storage"})

    def __init__(self) -> None:
        self._machine = EpisodeMachine(1, 0.0, 0.0)
        self._rows = 0
        self._recording = True

    def setup(self, run: Run) -> None:
        """Read how many episodes of what length are wanted."""
        if run.storage is None:
            raise UsageError("record needs a dataset", fix="--dataset.root FOLDER")
        self._run, self._storage, self._scene = run, run.storage, SceneWatch(run.scene)
        wanted = run.episodes
        self._machine = EpisodeMachine(wanted.count, wanted.episode_s, wanted.reset_s)
        run.notify(f"episode 1 of {wanted.count}: recording")

    def command(self, tick: Tick) -> commands.Command:
        """Follow the teleoperator in both phases; stop after the last episode."""
        before = self._machine.phase
        ending = self._machine.advance(tick.t, tick.events, self._scene.settled(tick.t))
        if ending is not None:
            self._end(ending == "save")
        elif before == "resetting" and self._machine.phase == "recording":
            self._begin()
        self._recording = self._machine.phase == "recording"
        return commands.Stop("done") if self._machine.phase == "done" else commands.Teleop()

    def _begin(self) -> None:
        self._run.notify(f"episode {self._machine.saved + 1} of {self._machine.count}: recording")

    def _end(self, save: bool) -> None:
        outcome = self._machine.take_outcome()
        if save:
            self._save(self._storage, outcome)
        else:
            self._storage.discard_episode()
            self._run.notify("episode discarded; reset the scene")
        self._rows = 0
        if self._machine.phase != "done":
            self._scene.reset()

    def _save(self, storage: Storage, outcome: object) -> None:
        storage.save_episode(outcome)  # type: ignore[arg-type]
        self._run.episode += 1
        self._run.notify(self._machine.saved_line())

    def record(self, step: Step) -> None:
        """A row while recording; nothing while resetting."""
        if self._recording:
            self._storage.add_frame(step)
            self._rows += 1

    def teardown(self, error: BaseException | None) -> None:
        """Save the episode in progress, on every exit path."""
        if self._rows and self._machine.phase == "recording":
            self._rows = 0
            self._save(self._storage, self._machine.take_outcome())
