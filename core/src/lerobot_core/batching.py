"""Several observations for one policy: in one call where it can, one after the other where it cannot."""

from __future__ import annotations

from collections.abc import Sequence

from .contracts.policy import Batched, Policy
from .types import ActionChunk, Observation


def predict_chunks(policy: Policy, observations: Sequence[Observation], tasks: Sequence[str]) -> list[ActionChunk]:
    """A chunk for each observation and its task, unguided, in their order."""
    if isinstance(policy, Batched):
        return policy.predict_chunks(observations, tasks)
    return [policy.predict_chunk(obs, task) for obs, task in zip(observations, tasks, strict=True)]
