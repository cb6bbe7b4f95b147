"""The strategy: rows go into the storage's ring until `save`, then into the episode that the ring begins."""

from __future__ import annotations

from lerobot_core import commands
from lerobot_core.contracts.storage import Storage
from lerobot_core.contracts.strategy import Need, Run
from lerobot_core.errors import UsageError
from lerobot_core.strategies.episodes import LABELS
from lerobot_core.strategies.publishing import Publisher
from lerobot_core.types import Event, Outcome, Step, Tick

from .config import HighlightConfig

_MB = 1024**2


class HighlightStrategy:
    """Autonomous rollout that records on demand.

    Every row is added to the storage exactly once, in the period it belongs to: a key only decides what becomes of the
    rows before it. So an episode has no gap and no duplicate, and nothing is copied when the key is pressed.

    Args:
        config: how long and how large the ring is.

    Attributes:
        live: between the two presses of `save`.
    """

    requires: frozenset[Need] = frozenset({"inference", "storage", "operator"})

    def __init__(self, config: HighlightConfig) -> None:
        self._config = config
        self.live = False
        self._paused = False
        self._rows = 0
        self._label: tuple[Outcome, float] | None = None

    def setup(self, run: Run) -> None:
        """Begin the ring."""
        if run.storage is None:
            raise UsageError("highlight records, so it needs a dataset", fix="--dataset.root FOLDER")
        self._run, self._storage, self._publisher = run, run.storage, Publisher(run)
        self._begin_ring()

    def _begin_ring(self) -> None:
        self._storage.buffer(self._config.ring_buffer_seconds, self._config.ring_buffer_max_memory_mb * _MB)
        self.live, self._rows = False, 0

    # --- what a key does --------------------------------------------------------------------------------------------

    def command(self, tick: Tick) -> commands.Command:
        """Policy, or Hold while paused; the row of this period is on the new side of every key in it."""
        for event in tick.events:
            self._handle(event)
        return commands.Hold() if self._paused else commands.Policy()

    def _handle(self, event: Event) -> None:
        if event.name == "save":
            if self.live:
                self._end()
            else:
                self._begin(event.t)
        elif event.name == "discard":
            self._discard()
        elif event.name == "pause":
            self._pause()
        elif event.name in LABELS:
            self._label = (LABELS[event.name], event.t)
            self._run.notify(f"highlight {self._run.episode + 1}: {event.name}")
        elif event.name == "push":
            self._publisher.push()

    def _begin(self, t: float) -> None:
        """What the ring holds begins the episode; the storage goes on in the same stream."""
        self._storage.commit_buffer()
        self.live = True
        if self._label is not None and t - self._label[1] > self._config.ring_buffer_seconds:
            self._label = None  # it was given for something that the ring has forgotten
        seconds = min(self._rows / self._run.fps, self._config.ring_buffer_seconds)
        self._run.notify(f"highlight {self._run.episode + 1}: recording, the last {seconds:.0f} s are in it")

    def _end(self) -> None:
        if self._rows:
            self._save(self._storage)
            self._run.notify(f"highlight {self._run.episode} saved")
        else:
            self._storage.discard_episode()
            self._run.notify("nothing was recorded yet, so nothing was saved")
        self._begin_ring()

    def _save(self, storage: Storage) -> None:
        outcome: Outcome = self._label[0] if self._label is not None else "none"
        self._publisher.saved(storage.save_episode(outcome))
        self._label = None
        self._rows = 0
        self._run.episode += 1

    def _discard(self) -> None:
        if not self.live:
            self._run.notify("nothing is being recorded, so there is nothing to discard")
            return
        self._storage.discard_episode()
        self._label = None
        self._begin_ring()
        self._run.notify(f"highlight {self._run.episode + 1} discarded")

    def _pause(self) -> None:
        self._paused = not self._paused
        engine = self._run.inference
        if engine is not None:
            (engine.pause if self._paused else engine.resume)()

    # --- rows -------------------------------------------------------------------------------------------------------

    def record(self, step: Step) -> None:
        """Every row; a live episode that fills its file is saved and goes on as the next one, without losing a row."""
        self._storage.add_frame(step)
        self._rows += 1
        if self.live and self._storage.rotate_due():
            self._save(self._storage)
            self._run.notify(f"highlight {self._run.episode} is full and saved; recording goes on in the next one")

    def teardown(self, error: BaseException | None) -> None:
        """A live episode is saved on every way out; what nobody asked for is forgotten."""
        if self.live and self._rows:
            self._save(self._storage)
        elif error is None:
            self._storage.discard_episode()  # a session may go on with a ring of its own
        self.live = False
        self._publisher.finish()
