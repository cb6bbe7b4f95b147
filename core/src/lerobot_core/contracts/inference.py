"""Inference engine: turns observations into queued actions, in the loop's thread, on another one, or elsewhere."""

from __future__ import annotations

from typing import Any, Literal, Protocol, runtime_checkable

from ..action_queue import ActionQueue
from ..clock import Clock
from ..types import Mark, Observation, Timed
from .policy import Policy

EngineState = Literal["idle", "warming", "ready", "degraded", "stalled", "dead"]


@runtime_checkable
class InferenceEngine(Protocol):
    """`sync` alone may block, and only in `next_action`."""

    @property
    def state(self) -> EngineState:
        """Where it stands; `dead` ends the run."""

    @property
    def error(self) -> Exception | None:
        """Why it is degraded or dead."""

    def start(self, policy: Policy | None, queue: ActionQueue, clock: Clock) -> None:
        """Warm up and get ready; a remote engine needs no policy and learns names by handshake."""

    @property
    def gives(self) -> tuple[str, ...]:
        """The action names it will push, known after `start`."""

    def notify(self, obs: Observation, task: str, mark: Mark) -> None:
        """Here is the newest observation; only the latest is kept. Never blocks."""

    def next_action(self, t: float) -> Timed | None:
        """The action for the tick at `t`, None when there is none (the loop holds)."""

    def pause(self) -> None:
        """Stop asking for chunks; the queue is cleared."""

    def resume(self) -> None:
        """Ask again."""

    def reset(self) -> None:
        """Forget the episode: clear the queue, reset the policy between two calls."""

    def stats(self) -> dict[str, Any]:
        """The summary's `engine` block: calls, errors, latency_ms{p50,p99,max}, delay_steps{p50,max}, dropped_chunks."""

    def stop(self) -> None:
        """End threads and sessions. Idempotent; never waits longer than one policy call."""
