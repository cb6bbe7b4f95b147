"""The engine: core's worker, with a guide for policies that can continue a leftover (arXiv 2506.07339)."""

from __future__ import annotations

import logging
from typing import Literal

import numpy as np
from lerobot_core.action_queue import ActionQueue, Mode
from lerobot_core.clock import Clock
from lerobot_core.contracts.policy import Policy
from lerobot_core.errors import InferenceError
from lerobot_core.inference.chunked import ChunkedEngine
from lerobot_core.inference.request import Request
from lerobot_core.inference.worker import Offer
from lerobot_core.types import ActionChunk, Feature, Guide, Observation

from .config import RtcConfig

log = logging.getLogger("lerobot.inference")

REHEARSALS = 2
"""Guided calls before anything moves: the first compiles and allocates, the second tells how long a call takes."""


class RtcEngine(ChunkedEngine):
    """`chunked`, and a policy that takes guidance is told which actions will be executed before its answer arrives.

    The guide begins at the observation that the chunk is computed for: actions executed since come first, then those
    that wait. So its row i is what the chunk has at step i, and it is never longer than what there is.

    Args:
        config: what and how strongly.
    """

    name = "rtc"
    max_errors = 10
    retry_s = 0.5

    def __init__(self, config: RtcConfig) -> None:
        super().__init__(config.queue_threshold)
        self.config = config
        self.guidance: Literal["none", "guided", "trained"] = "none"
        self._widened = False

    def start(self, policy: Policy | None, queue: ActionQueue, clock: Clock) -> None:
        """Start the thread and wait until the policy is warm, its guided calls included.

        Raises:
            UserError: there is no policy, it lacks the mode that was asked for, or its warm-up failed.
        """
        if policy is not None:
            self.guidance = chosen_guidance(self.config.mode, policy.guidance)
        super().start(policy, queue, clock)

    def open(self) -> Offer:
        """Warm the policy up, and rehearse guided calls: a compiled policy compiles those apart."""
        offer = super().open()
        if self.guidance != "none":
            self._rehearse()
        return offer

    def infer(self, request: Request) -> ActionChunk:
        """One call of the policy, guided by what it has to continue, if there is anything."""
        return self.policy.predict_chunk(request.obs, request.task, self.guide(request))

    def mode(self) -> Mode:
        """A guided chunk replaces what it continues."""
        return "append" if self.config.mode == "append" else "replace"

    def threshold(self) -> int | None:
        """As derived by core; guided, early enough that a whole horizon is left to be continued."""
        limit = super().threshold()
        if limit is None or self._threshold is not None or self.guidance == "none":
            return limit
        return max(limit, min(self.config.execution_horizon, self.offer.chunk_size - 1))

    def guide(self, request: Request) -> Guide | None:
        """What the chunk for a request has to continue; None when that is nothing."""
        if self.guidance == "none":
            return None
        delay = self.delay.steps(self.offer.chunk_size, waited=self.clock.now() - request.obs.time)
        return self._guide(delay, *self.queue.leftover(self._horizon(delay), request.mark))

    def _guide(self, delay: int, names: tuple[str, ...], actions: np.ndarray, model: np.ndarray | None) -> Guide | None:
        if not len(actions):
            return None
        config = self.config
        horizon, weight = self._horizon(delay), config.max_guidance_weight
        # A queue that runs dry holds, and held periods are no executed actions.
        return Guide(min(delay, len(actions)), horizon, config.schedule, weight, names, actions, model)

    def _horizon(self, delay: int) -> int:
        """The configured one; the delay when that is longer: what is executed for sure has to be continued."""
        wanted = self.config.execution_horizon
        if delay > wanted and not self._widened:
            self._widened = True
            log.info(
                "the policy takes %d actions to answer, more than the execution horizon of %d; guiding as many",
                delay,
                wanted,
            )
        return max(wanted, delay)

    def _rehearse(self) -> None:
        """Guided calls on nothing, each continuing the one before; the last one's time is the first estimate."""
        blank = Observation({key: _nothing(feature) for key, feature in self.policy.needs.items()}, self.clock.now())
        chunk = self.policy.predict_chunk(blank, "")
        for _ in range(REHEARSALS):
            left = chunk.actions[1 : 1 + self.config.execution_horizon]
            model = None if chunk.model is None else chunk.model[1 : 1 + self.config.execution_horizon]
            guide = self._guide(1, chunk.names, left, model)
            began = self.clock.now()
            chunk = self.policy.predict_chunk(blank, "", guide)
            self.delay.add(self.clock.now() - began)
        self.policy.reset()
        self.delay.restart()


def chosen_guidance(mode: str, can: Literal["none", "guided", "trained"]) -> Literal["none", "guided", "trained"]:
    """The guidance that a mode means for a policy that can do `can`.

    Raises:
        InferenceError: it cannot do what was asked for.
    """
    if mode in ("replace", "append"):
        return "none"
    if mode not in ("auto", can):
        raise InferenceError(
            f"--inference.mode {mode}: this policy cannot do that",
            f"its guidance is {can!r}",
            "--inference.mode auto, which takes what the policy can",
        )
    if can == "none":
        log.info("this policy takes no guidance; each chunk replaces the one before")
    return can


def _nothing(feature: Feature) -> object:
    return np.zeros(feature.shape, np.uint8) if feature.shape else 0.0
