"""The thread behind `chunked`, `rtc` and `remote`: the newest observation in, at most one request in flight."""

from __future__ import annotations

import logging
import math
import threading
from abc import ABC, abstractmethod
from typing import Any, ClassVar, NamedTuple

from ..action_queue import ActionQueue, Mode
from ..clock import FOREVER, Clock
from ..contracts.inference import EngineState
from ..contracts.policy import Policy
from ..errors import InferenceError
from ..types import ActionChunk, Mark, Observation, Timed
from .latency import CallLog, DelayEstimate
from .request import Request, failure

log = logging.getLogger("lerobot.inference")

ENGINE_RANK = 2
MARGIN_S = 0.1
"""Asked this much before the estimate says so: a garbage collection or a slow page costs no hold."""
MARGIN_STEPS = 2
"""At least these: the tick that asks pops one itself, and an answer inside a period serves the next tick."""
SLOW_S = 0.5
"""An answer that took this much longer than the recent ones is about an old observation: it is asked again at once,
before its actions are too old to be executed."""
STALL_S = 2.0
"""A call that is this much slower than the recent ones is shown as stalled."""
STOP_S = 5.0
"""How long `stop` waits beyond the slowest call so far."""


class Offer(NamedTuple):
    """What a policy turned out to give, here or elsewhere."""

    gives: tuple[str, ...] = ()
    chunk_size: int = 0
    n_action_steps: int = 0


class WorkerEngine(ABC):
    """An inference engine around one thread, on which everything that touches the policy happens.

    Subclasses say how to get ready (`open`), how to get a chunk (`infer`) and how to forget an episode (`forget`).
    The loop's side (`notify`, `next_action`, `pause`, `resume`, `reset`) never blocks.

    Args:
        threshold: ask when this many actions are left; None derives it, see `threshold`.
    """

    name: ClassVar[str] = "worker"
    max_errors: ClassVar[int] = 1
    """Errors in a row that end it; before that it is `degraded` and asks again."""
    retry_s: ClassVar[float] = 0.0
    """How long it waits before it asks again after an error."""

    def __init__(self, threshold: int | None = None) -> None:
        self.offer = Offer()
        self.queue: ActionQueue
        self.clock: Clock
        self.delay: DelayEstimate
        self.call_log = CallLog()
        self._threshold = threshold
        self._state: EngineState = "idle"
        self._error: Exception | None = None
        self._lock = threading.Lock()
        self._slot: Request | None = None
        self._forgetting = self._paused = self._stopping = False
        self._failures, self._retry_at = 0, 0.0
        self._began: float | None = None
        self._slow = False
        self._wake, self._ready, self._done = threading.Event(), threading.Event(), threading.Event()

    # --- what a subclass says, all on the worker's thread -----------------------------------------------------------

    @abstractmethod
    def open(self) -> Offer:
        """Warm up, or shake hands."""

    @abstractmethod
    def infer(self, request: Request) -> ActionChunk:
        """One call. Time, task and seq of the answer are filled in afterwards."""

    @abstractmethod
    def forget(self) -> None:
        """A new episode begins."""

    def mode(self) -> Mode:
        """How the next chunk joins the queue."""
        return "replace"

    def gives_up(self, error: Exception) -> bool:
        """Does this error of a call end the engine?"""
        return self._failures >= self.max_errors

    # --- the loop's side --------------------------------------------------------------------------------------------

    @property
    def state(self) -> EngineState:
        """`idle` while paused, `stalled` while a call takes far longer than the recent ones."""
        if self._state not in ("ready", "degraded"):
            return self._state
        began = self._began
        if began is not None and self.clock.now() - began > STALL_S + (self.delay.seconds or 0.0):
            return "stalled"
        return "idle" if self._paused else self._state

    @property
    def gives(self) -> tuple[str, ...]:
        """The action names it pushes, known after `start`."""
        return self.offer.gives

    @property
    def error(self) -> Exception | None:
        """Why it is degraded or dead."""
        return self._error

    def start(self, policy: Policy | None, queue: ActionQueue, clock: Clock) -> None:
        """Start the thread and wait until it is ready.

        Raises:
            UserError: it could not get ready; its `error`.
        """
        self.queue, self.clock = queue, clock
        self.delay = DelayEstimate(queue.dt)
        self._state = "warming"
        clock.spawn(f"inference-{self.name}", self._run, ENGINE_RANK)
        clock.wait(self._ready, FOREVER)
        if self._error is not None:
            raise self._error

    def notify(self, obs: Observation, task: str, mark: Mark) -> None:
        """Here is the newest observation; an older one that was not asked about yet is forgotten."""
        with self._lock:
            if self._paused:
                return
            self._slot = Request(obs, task, mark)
        if self._began is None and self._due():
            self._wake.set()

    def next_action(self, t: float) -> Timed | None:
        """The queue's next action."""
        return self.queue.next(t)

    def pause(self) -> None:
        """Ask no more, drop what is queued and what is being computed."""
        self._drop(paused=True)

    def resume(self) -> None:
        """Ask again, from the next observation on."""
        self._paused = False

    def reset(self) -> None:
        """Drop everything; the episode is forgotten on the worker's thread before its next call."""
        self._drop(forgetting=True)
        self._wake.set()

    def stats(self) -> dict[str, Any]:
        """The summary's `engine` block."""
        return self.call_log.summary(self.state, getattr(self, "queue", None))

    def stop(self) -> None:
        """End the thread, waiting for one call at most. Idempotent."""
        if self._stopping or (self._state == "idle" and not self._ready.is_set()):
            return
        self._stopping = True
        self._wake.set()
        if not self.clock.wait(self._done, self.clock.now() + STOP_S + self.call_log.slowest):
            log.warning("inference %s is still busy with a call; leaving it behind", self.name)
        self._state = "dead" if self._state == "dead" else "idle"

    def threshold(self) -> int | None:
        """Ask when at most this many actions are left; None = ask as soon as the last call is over.

        An answer should arrive when `n_action_steps` of the last chunk are executed (asking earlier computes chunks
        that are hardly used, later lets the queue run dry): what the policy leaves unused of a chunk, plus the actions
        executed while it computes, plus a margin. While nothing but a cold call is known, and after a call that was far
        slower than the others, it asks again at once.
        """
        if self._threshold is not None:
            return self._threshold
        seconds = self.delay.seconds
        if seconds is None or self._slow:
            return None
        size, used = self.offer.chunk_size, self.offer.n_action_steps
        margin = max(MARGIN_STEPS, math.ceil(MARGIN_S / self.queue.dt))
        return size - used + self.delay.steps(size) + margin

    # --- the worker's side ------------------------------------------------------------------------------------------

    def _due(self) -> bool:
        if self._failures and self.clock.now() < self._retry_at:
            return False
        limit = self.threshold()
        return limit is None or self.queue.depth() <= limit

    def _drop(self, paused: bool = False, forgetting: bool = False) -> None:
        with self._lock:
            self._slot = None
            self._paused |= paused
            self._forgetting |= forgetting
            self.queue.clear()

    def _run(self) -> None:
        doing = "warming up"
        try:
            self.offer = self.open()
            self._state = "ready"
            self._ready.set()
            doing = "predicting"
            while not self._stopping:
                self.clock.wait(self._wake, FOREVER)
                self._wake.clear()
                self._serve()
        except Exception as error:
            self._fail(error, doing)
        finally:
            if not self._stopping and self._state != "dead":
                self._fail(InferenceError("the policy ended its thread"), doing)
            self._ready.set()
            self._done.set()

    def _serve(self) -> None:
        """Answer until there is nothing to ask."""
        while not self._stopping:
            with self._lock:
                forgetting, self._forgetting = self._forgetting, False
                request = self._slot if self._due() else None
                self._slot = None if request is not None else self._slot
            if forgetting:
                self.forget()
                self.delay.restart()
            if request is None:
                return
            self._answer(request)

    def _answer(self, request: Request) -> None:
        self._began = began = self.clock.now()
        try:
            chunk = self.infer(request)
            seconds = self.clock.now() - began
            chunk = request.stamp(chunk, self.call_log.calls)
            self.call_log.add(seconds)
            self._slow = seconds > SLOW_S + (self.delay.seconds or 0.0)
            self.delay.add(seconds)
            self.queue.push(chunk, request.mark, self.mode())
            self._failures, self._state, self._error = 0, "ready", None
        except Exception as error:
            self.call_log.errors += 1
            self._failures += 1
            self._retry_at = self.clock.now() + self.retry_s
            if self.gives_up(error):
                raise
            self._state, self._error = "degraded", failure(error, "predicting")
        finally:
            self._began = None

    def _fail(self, error: Exception, doing: str) -> None:
        log.debug("inference %s failed while %s", self.name, doing, exc_info=error)
        self._state, self._error = "dead", failure(error, doing)
