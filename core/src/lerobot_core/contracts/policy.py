"""Policy: observations in, action chunks out; numpy at its edge, so torch, ONNX, scripted and remote look alike."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol, runtime_checkable

from ..types import ActionChunk, Features, Guide, Observation


@runtime_checkable
class Policy(Protocol):
    """Called from one thread only. State assembly, normalisation, batching and the device stay inside.

    Attributes:
        needs: observation features by robot key.
        gives: action features by robot key.
        chunk_size: actions in a chunk (T).
        n_action_steps: how many of them `sync` executes before it asks again.
        fps: the rate it was trained at, None when any will do.
        ensemble: temporal-ensembling coefficient, None without ensembling.
        guidance: can it continue a leftover: `none`, `guided` (prefix guidance), `trained`.
        stateless: two robots may share it chunk by chunk.
    """

    needs: Features
    gives: Features
    chunk_size: int
    n_action_steps: int
    fps: float | None
    ensemble: float | None
    guidance: Literal["none", "guided", "trained"]
    stateless: bool

    def warmup(self) -> None:
        """Do what makes the first call slow (compile, allocate), before anything moves."""

    def reset(self) -> None:
        """Forget the episode."""

    def predict_chunk(self, obs: Observation, task: str, guide: Guide | None = None) -> ActionChunk:
        """The next `chunk_size` actions, absolute, in robot units, `time` being the observation's."""

    def close(self) -> None:
        """Free what it holds. Idempotent."""


@runtime_checkable
class RobotAware(Protocol):
    """What a policy may have besides: it wants to know the robot before it is compared with it."""

    def bind(self, observation: Features, action: Features) -> None:
        """Called once, after the robot is connected and before anything is checked or moves; `needs` and `gives` may
        change by it.

        Raises:
            ContractError: this robot is not what the policy was made for.
        """


@runtime_checkable
class Batched(Protocol):
    """What a policy may have besides: it answers several observations in one call; see `lerobot_core.batching`."""

    def predict_chunks(self, observations: Sequence[Observation], tasks: Sequence[str]) -> list[ActionChunk]:
        """A chunk for each observation and its task, unguided, as `predict_chunk` would give it."""


@runtime_checkable
class Shareable(Protocol):
    """What a stateless policy may have besides: several robots use it, each with processors and names of its own."""

    def for_robot(self) -> Policy:
        """A view for one more robot: the same weights, everything else its own. Closing the policy closes its views."""
