"""Inference engine: turns observations into queued actions, in the loop's thread, on another one, or elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol, runtime_checkable

from ..action_queue import ActionQueue
from ..clock import Clock
from ..types import Features, Mark, Observation, Timed
from .policy import Policy

if TYPE_CHECKING:
    from ..config.bases import Chosen

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


@dataclass(frozen=True, kw_only=True)
class Meeting:
    """What an engine that runs no policy here is told of the run, once the robot is connected.

    Attributes:
        robot: `--robot.id`, "" when it has none.
        robot_type: what datasets and checkpoints call it.
        observation, action: its features, cameras and processors included, by robot key.
        rename: `--rename-map`, robot key -> policy key; here it is the engine that applies it.
        fps: the rate asked for, None when the policy's will do.
        task: the instruction.
        policy: `--policy`, which is not built; None when nobody named one.
    """

    robot: str = ""
    robot_type: str = ""
    observation: Features = field(default_factory=dict)
    action: Features = field(default_factory=dict)
    rename: Mapping[str, str] = field(default_factory=dict)
    fps: float | None = None
    task: str = ""
    policy: Chosen | None = None


@dataclass(frozen=True, kw_only=True)
class Met:
    """What the policy elsewhere turned out to be, by robot key."""

    needs: Features
    gives: Features
    fps: float | None = None


@runtime_checkable
class Elsewhere(Protocol):
    """What an engine has besides when the policy is on another machine; with it a named `--policy` is not built."""

    def meet(self, meeting: Meeting) -> Met:
        """Find the policy and describe it. Called once, before `start`: the rate and every check depend on it.

        Raises:
            UserError: it is not there, or not the one that was named.
        """
