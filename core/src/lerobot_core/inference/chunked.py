"""`chunked`: the policy runs on a worker thread, one request in flight, each answer replaces the queue."""

from __future__ import annotations

from ..action_queue import ActionQueue
from ..clock import Clock
from ..contracts.policy import Policy
from ..types import ActionChunk
from .request import Request, required
from .worker import Offer, WorkerEngine


class ChunkedEngine(WorkerEngine):
    """No guidance: the new chunk takes over at the number of actions executed since its observation."""

    name = "chunked"
    policy: Policy

    def start(self, policy: Policy | None, queue: ActionQueue, clock: Clock) -> None:
        """Start the thread and wait until the policy is warm.

        Raises:
            UserError: there is no policy, or its warm-up failed.
        """
        self.policy = required(policy, self.name)
        super().start(policy, queue, clock)

    def open(self) -> Offer:
        """Warm the policy up."""
        self.policy.warmup()
        return Offer(tuple(self.policy.gives), self.policy.chunk_size, self.policy.n_action_steps)

    def infer(self, request: Request) -> ActionChunk:
        """One call of the policy, unguided."""
        return self.policy.predict_chunk(request.obs, request.task)

    def forget(self) -> None:
        """Reset the policy."""
        self.policy.reset()
