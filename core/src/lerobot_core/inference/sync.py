"""`sync`: the policy runs in the caller's thread, inside `next_action`."""

from __future__ import annotations

import logging
from typing import Any

from ..action_queue import ActionQueue
from ..clock import Clock
from ..contracts.inference import EngineState
from ..contracts.policy import Policy
from ..types import Mark, Observation, Timed
from .latency import CallLog
from .request import Request, failure, required

log = logging.getLogger("lerobot.inference")


class SyncEngine:
    """Asks when the queue is empty and executes `n_action_steps` of the answer; the arm holds during the call.

    A policy with `ensemble` is asked on every tick, and its predictions for the same step are averaged.
    """

    def __init__(self) -> None:
        self._state: EngineState = "idle"
        self._error: Exception | None = None
        self._request: Request | None = None
        self._log = CallLog()
        self._policy: Policy
        self._queue: ActionQueue | None = None
        self._clock: Clock

    @property
    def state(self) -> EngineState:
        """idle, warming, ready or dead."""
        return self._state

    @property
    def error(self) -> Exception | None:
        """Why it is dead."""
        return self._error

    @property
    def gives(self) -> tuple[str, ...]:
        """The policy's action names, known after `start`."""
        return tuple(self._policy.gives) if self._queue is not None else ()

    def start(self, policy: Policy | None, queue: ActionQueue, clock: Clock) -> None:
        """Warm the policy up.

        Raises:
            InferenceError: there is no policy, or its warm-up failed.
        """
        self._policy, self._queue, self._clock = required(policy, "sync"), queue, clock
        self._state = "warming"
        try:
            self._policy.warmup()
        except Exception as error:
            raise self._die(error, "warming up") from error
        self._state = "ready"

    def notify(self, obs: Observation, task: str, mark: Mark) -> None:
        """Remember the newest observation."""
        self._request = Request(obs, task, mark)

    def next_action(self, t: float) -> Timed | None:
        """The action for the tick at `t`; calls the policy when none is left, or always when it ensembles."""
        if self._state != "ready" or self._queue is None:
            return None
        timed = self._queue.next(t) if self._policy.ensemble is None else None
        if timed is not None:
            return timed
        request, self._request = self._request, None
        if request is not None:
            self._ask(request, self._queue)
        return self._queue.next(t)

    def pause(self) -> None:
        """Give no actions until `resume`; what was queued is gone."""
        self._forget()
        self._state = "idle" if self._state == "ready" else self._state

    def resume(self) -> None:
        """Ask again."""
        self._state = "ready" if self._state == "idle" and self._queue is not None else self._state

    def reset(self) -> None:
        """Clear the queue and reset the policy."""
        self._forget()
        try:
            self._policy.reset()
        except Exception as error:
            self._die(error, "resetting")

    def stats(self) -> dict[str, Any]:
        """The summary's `engine` block."""
        return self._log.summary(self._state, self._queue)

    def stop(self) -> None:
        """Nothing runs, so nothing ends; no more actions are given."""
        self._state = "dead" if self._state == "dead" else "idle"

    def _forget(self) -> None:
        self._request = None
        if self._queue is not None:
            self._queue.clear()

    def _ask(self, request: Request, queue: ActionQueue) -> None:
        policy, began = self._policy, self._clock.now()
        try:
            chunk = request.stamp(policy.predict_chunk(request.obs, request.task), self._log.calls)
            seconds = self._clock.now() - began
            self._log.add(seconds)
            # The arm held during the call, so the call's own time does not make its actions too old.
            if policy.ensemble is None:
                queue.push(chunk, request.mark, n=policy.n_action_steps, grace=seconds)
            else:
                queue.push(chunk, request.mark, "ensemble", coefficient=policy.ensemble, grace=seconds)
        except Exception as error:
            self._log.errors += 1
            self._die(error, "predicting")

    def _die(self, error: Exception, doing: str) -> Exception:
        log.debug("the policy failed while %s", doing, exc_info=error)
        self._state, self._error = "dead", failure(error, doing)
        return self._error
