"""The strategy: policy in, rows out, episodes cut by size."""

from __future__ import annotations

from lerobot_core import commands
from lerobot_core.contracts.storage import Storage
from lerobot_core.contracts.strategy import Need, Run
from lerobot_core.errors import UsageError
from lerobot_core.strategies.episodes import LABELS
from lerobot_core.strategies.publishing import Publisher
from lerobot_core.strategies.rotation import episode_seconds
from lerobot_core.types import Event, Outcome, Step, Tick

from .config import SentryConfig


class SentryStrategy:
    """Continuous autonomous recording.

    Args:
        config: when episodes end, whether to publish.
    """

    requires: frozenset[Need] = frozenset({"inference", "storage"})

    def __init__(self, config: SentryConfig) -> None:
        self._config = config
        self._paused = False
        self._outcome: Outcome = "none"
        self._rows = 0
        self._limit = 0

    def setup(self, run: Run) -> None:
        """Work out how many rows an episode has."""
        if run.storage is None:
            raise UsageError("sentry records, so it needs a dataset", fix="--dataset.root FOLDER")
        self._run, self._storage = run, run.storage
        self._publisher = Publisher(run, self._config.upload_every_n_episodes)
        codec = str(run.storage.stats().get("codec") or "h264")
        seconds = episode_seconds(run.robot_features, run.fps, self._config.target_video_file_size_mb, codec)
        self._limit = max(1, int(seconds * run.fps))
        run.log.debug("an episode lasts %.0f s or until its file is full", seconds)

    def command(self, tick: Tick) -> commands.Command:
        """Policy; `pause` holds, `pause` again goes on; labels are kept for the episode in progress."""
        for event in tick.events:
            self._handle(event)
        return commands.Hold() if self._paused else commands.Policy()

    def _handle(self, event: Event) -> None:
        if event.name == "pause":
            self._pause()
        elif event.name in LABELS:
            self._outcome = LABELS[event.name]
            self._run.notify(f"episode {self._run.episode + 1}: {self._outcome}")
        elif event.name == "next" and self._rows:
            self._save(self._storage)
        elif event.name == "push":
            self._publisher.push()

    def _pause(self) -> None:
        self._paused = not self._paused
        engine = self._run.inference
        if engine is not None:
            (engine.pause if self._paused else engine.resume)()

    def record(self, step: Step) -> None:
        """Every row; the episode ends here when it is long or large enough."""
        self._storage.add_frame(step)
        self._rows += 1
        if self._rows >= self._limit or self._storage.rotate_due():
            self._save(self._storage)

    def _save(self, storage: Storage) -> None:
        ticket = storage.save_episode(self._outcome)
        self._rows, self._outcome = 0, "none"
        self._run.episode += 1
        self._publisher.saved(ticket)

    def teardown(self, error: BaseException | None) -> None:
        """Save what is there, on every way out."""
        if self._rows:
            self._save(self._storage)
        self._publisher.finish()
