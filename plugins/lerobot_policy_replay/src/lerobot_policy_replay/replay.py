"""The policy: recorded episodes on the run's time axis, cut into overlapping chunks."""

from __future__ import annotations

from typing import Literal

import numpy as np
from lerobot_core.clock import Clock
from lerobot_core.contracts.storage import Reader
from lerobot_core.errors import ContractError, InferenceError
from lerobot_core.types import ActionChunk, Features, Guide, Observation

from .config import ReplayConfig
from .trajectory import Array, Trajectory, approach


class ReplayPolicy:
    """Nearest episode first; the action at one instant is the same in every chunk that covers it.

    Args:
        config: what and how.
        reader: the open dataset.
        clock: the run's.
    """

    ensemble: float | None = None
    guidance: Literal["none", "guided", "trained"] = "none"
    stateless = False

    def __init__(self, config: ReplayConfig, reader: Reader, clock: Clock) -> None:
        if not len(reader.episodes):
            raise InferenceError(f"{config.dataset} holds no episode to play", fix="record one: lr record …")
        self._config, self._reader, self._clock = config, reader, clock
        self.gives: Features = dict(reader.action)
        # The arm's pose is all it looks at; images would be decoded for nothing.
        self.needs: Features = {key: f for key, f in reader.observation.items() if key in self.gives}
        self.chunk_size = self.n_action_steps = config.chunk_size
        self.fps: float | None = reader.fps
        self._names = tuple(self.gives)
        self._firsts: Array | None = None
        self._played: set[int] = set()
        self._playing: Trajectory | None = None

    def warmup(self) -> None:
        """Read every episode's first action."""
        self._firsts = np.stack([self._rows(episode)[0] for episode in range(len(self._reader.episodes))])

    def reset(self) -> None:
        """Choose anew at the next call."""
        self._playing = None

    def predict_chunk(self, obs: Observation, task: str, guide: Guide | None = None) -> ActionChunk:
        """(chunk_size, A) from the row that is due when the observation was taken.

        Raises:
            ContractError: the observation lacks a joint.
        """
        missing = self.needs.keys() - obs.keys()
        if missing:
            raise ContractError(f"the observation lacks {', '.join(sorted(missing))}", "replay needs the arm's pose")
        if self._config.latency_s:
            self._clock.sleep_until(self._clock.now() + self._config.latency_s)
        if self._playing is None:
            self._playing = self._begin(obs)
        # The next episode is appended before this one ends, so that no chunk has to take back what the last one said.
        while self._playing.left(obs.time) < 2 * self.chunk_size:
            self._playing.extend(self._next(self._playing.rows[-1]))
        return ActionChunk(self._names, self._playing.chunk(obs.time, self.chunk_size), None, obs.time, task)

    def close(self) -> None:
        """Close the dataset."""
        self._reader.close()

    def _begin(self, obs: Observation) -> Trajectory:
        """While nothing plays the arm waits for this very answer, so row 0 is due now."""
        present = np.array([obs.get(name, 0.0) for name in self._names], np.float32)
        assert self.fps is not None
        return Trajectory(self._next(present), self.fps, self._clock.now())

    def _next(self, pose: Array) -> Array:
        """The nearest episode not played yet (all of them again after the last), with the way from `pose` (A,)."""
        if self._firsts is None:
            self.warmup()
        assert self._firsts is not None
        assert self.fps is not None
        if len(self._played) == len(self._firsts):
            self._played.clear()
        distance = np.max(np.abs(self._firsts - pose), axis=1)
        distance[list(self._played)] = np.inf
        episode = int(np.argmin(distance))
        self._played.add(episode)
        rows = self._rows(episode)
        return np.concatenate([approach(pose, rows[0], self._config.approach_rate, self.fps), rows])

    def _rows(self, episode: int) -> Array:
        names, rows = self._reader.actions(episode)
        return rows[:, [names.index(name) for name in self._names]]
