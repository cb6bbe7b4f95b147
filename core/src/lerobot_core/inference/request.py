"""What goes to a policy and what comes back, the same for every engine."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from ..contracts.policy import Policy
from ..errors import InferenceError, UserError
from ..types import ActionChunk, Mark, Observation


@dataclass(frozen=True, slots=True)
class Request:
    """The newest observation, the instruction, and where the queue stood when it was taken."""

    obs: Observation
    task: str
    mark: Mark

    def stamp(self, chunk: ActionChunk, seq: int) -> ActionChunk:
        """`chunk` with this request's time and task and the engine's `seq`: a policy need not keep count."""
        return dataclasses.replace(chunk, time=self.obs.time, task=self.task, seq=seq)


def required(policy: Policy | None, engine: str) -> Policy:
    """The policy of an engine that runs it here.

    Raises:
        InferenceError: there is none.
    """
    if policy is None:
        raise InferenceError(
            f"inference {engine!r} needs a policy", "none was named", "add --policy NAME or --policy PATH"
        )
    return policy


def failure(error: BaseException, doing: str) -> UserError:
    """What the engine reports as its `error`: `error` itself when it explains itself, else wrapped."""
    if isinstance(error, UserError):
        return error
    wrapped = InferenceError(
        f"the policy raised {type(error).__name__} while {doing}",
        str(error),
        "run again with --log-file FILE for the traceback",
    )
    wrapped.__cause__ = error
    return wrapped
