"""A slot: one env, one action queue, one episode after the other."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from lerobot_core.action_queue import ActionQueue
from lerobot_core.contracts.env import EnvStep
from lerobot_core.contracts.policy import Policy
from lerobot_core.contracts.processor import Processor
from lerobot_core.errors import InferenceError
from lerobot_core.inference.request import Request
from lerobot_core.types import ActionChunk, Observation

from .film import Film
from .result import Episode
from .stage import Stage


class EpisodeClock:
    """The env's time as a policy's clock: waiting costs nothing, and every episode begins at 0."""

    def __init__(self) -> None:
        self.t = 0.0

    def now(self) -> float:
        """Seconds since the episode began."""
        return self.t

    def sleep_until(self, t: float) -> None:
        """At once: the env stands still meanwhile."""

    def wait(self, event: threading.Event, until: float) -> bool:
        """At once."""
        return event.is_set()

    def spawn(self, name: str, fn: Callable[[], None], rank: int) -> threading.Thread:
        """A daemon thread."""
        thread = threading.Thread(target=fn, name=name, daemon=True)
        thread.start()
        return thread


class Slot:
    """One env and what belongs to its episode.

    Args:
        stage: the env.
        policy: shared with other slots where it is stateless.
        clock: the policy's, when it is this slot's own.
        processors: this slot's own, in their order.
        task: the instruction.
    """

    def __init__(
        self,
        stage: Stage,
        policy: Policy,
        clock: EpisodeClock,
        processors: Sequence[Processor] = (),
        task: str = "",
    ) -> None:
        self.stage, self.policy, self.task = stage, policy, task
        self._clock, self._processors = clock, processors
        self._queue = ActionQueue(1.0 / stage.fps, names=tuple(stage.action_features))
        self._obs, self._done = Observation(), False
        self.index, self._seed, self._calls = 0, 0, 0
        self._film: Film | None = None
        self._total, self._steps, self._success = 0.0, 0, False

    def begin(self, index: int, seed: int, film: Film | None) -> None:
        """Episode `index`; `look` before anything else."""
        self.index, self._seed, self._film = index, seed, film
        self._total, self._steps, self._success, self._done = 0.0, 0, False, False
        self._queue.clear()
        self.policy.reset()
        for processor in self._processors:
            processor.reset()
        self.stage.begin(seed)

    def look(self) -> None:
        """What the episode begins with."""
        self._see(self.stage.seen())

    @property
    def hungry(self) -> bool:
        """Does it need a chunk for its next action."""
        return self.policy.ensemble is not None or not self._queue.depth()

    @property
    def observation(self) -> Observation:
        """What its policy is to see."""
        return self._obs

    def feed(self, chunk: ActionChunk) -> None:
        """The chunk for its observation.

        Raises:
            UserError: other names than the env's, or a value that is no number.
        """
        mark, coefficient = self._queue.mark(), self.policy.ensemble
        chunk = Request(self._obs, self.task, mark).stamp(chunk, self._calls)
        self._calls += 1
        if coefficient is None:
            self._queue.push(chunk, mark, n=self.policy.n_action_steps)
        else:
            self._queue.push(chunk, mark, "ensemble", coefficient=coefficient)

    def act(self) -> None:
        """Execute the next action."""
        timed = self._queue.next(self._obs.time)
        if timed is None:
            raise InferenceError("the policy gave no action to execute", f"at step {self._steps}")
        action = timed.action
        for processor in self._processors:
            if processor.side == "action":
                action = processor(action, self._obs)
        self.stage.act(action)

    def see(self) -> Episode | None:
        """What the action led to; the episode, when that was its end."""
        step: EnvStep = self.stage.done()
        self._steps += 1
        self._total += step.reward
        self._success |= step.success
        self._see(step.observation)
        if not (step.terminated or step.truncated or self._steps >= self.stage.max_steps):
            return None
        self.cut()
        seconds = round(self._steps / self.stage.fps, 6)
        return Episode(self._seed, self._success, self._total, self._steps, seconds)

    def cut(self) -> None:
        """Its film is over. Idempotent."""
        if self._film is not None:
            self._film.close()
            self._film = None

    def _see(self, obs: Observation) -> None:
        if self._film is not None:
            self._film.add(obs)
        for processor in self._processors:
            if processor.side == "observation":
                obs = Observation(processor(obs, obs), obs.time, obs.captured, obs.flags)
        self._obs, self._clock.t = obs, obs.time
