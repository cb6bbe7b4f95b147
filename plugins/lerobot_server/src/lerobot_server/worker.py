"""The one thread that owns the policy."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from typing import Any

from lerobot_core.clock import FOREVER
from lerobot_core.contracts.policy import Batched
from lerobot_core.errors import UserError
from lerobot_core.types import ActionChunk, Observation
from lerobot_inference_remote.wire.bodies import RefusalBody, chunk_body
from lerobot_inference_remote.wire.errors import WireError
from lerobot_inference_remote.wire.header import Kind
from lerobot_inference_remote.wire.pictures import preload

from .scheduler import RoundRobin, Scheduler
from .service import Send, Service, new_episode
from .sessions import Job, Session

log = logging.getLogger("lerobot.serve")

RANK = 2


class Worker:
    """Takes what waits, in the scheduler's order, and sends what the policy says.

    Args:
        send: puts an answer on its way; never blocks for long.
        batch_wait_s: how long to wait for others to join a batch, never for a lone session.
    """

    def __init__(
        self, service: Service, send: Send, scheduler: Scheduler | None = None, batch_wait_s: float = 0.0
    ) -> None:
        self.service, self._send = service, send
        self._scheduler = scheduler or RoundRobin()
        self._batch_wait_s = batch_wait_s
        self.warm, self.ended = threading.Event(), threading.Event()
        self.error: Exception | None = None
        self.busy = False
        self._stopping = False

    def start(self, warmup: int) -> None:
        """Start the thread; `warm` is set when robots may come, or when `error` says why they may not."""
        self._warmups = warmup
        self.service.clock.spawn("policy", self._run, RANK)

    def stop(self) -> None:
        """After the call that runs now."""
        self._stopping = True
        self.service.wake.set()

    def _run(self) -> None:
        try:
            preload()
            for _ in range(self._warmups):
                self.service.policy.warmup()
            self.warm.set()
            while not self._stopping:
                self.service.clock.wait(self.service.wake, FOREVER)
                self.service.wake.clear()
                self.serve()
        except Exception as error:
            self.error = error
        finally:
            self.warm.set()
            self.ended.set()

    def serve(self) -> None:
        """Answer until nothing waits; on the policy's thread."""
        while not self._stopping and (ready := self.service.ready()):
            ready = self._gather(ready)
            taken = [(session, job) for session in self._scheduler.select(ready) if (job := session.mailbox.take())]
            if taken:
                self.busy = True
                self._answer(taken)
                self.busy = False

    def _gather(self, ready: list[Session]) -> list[Session]:
        """Others that ask within a moment, where they could be computed together."""
        sessions = len(self.service.sessions)
        if not self._batch_wait_s or len(ready) >= min(sessions, getattr(self._scheduler, "largest", 1)):
            return ready
        until = self.service.clock.now() + self._batch_wait_s
        while len(ready) < sessions and self.service.clock.wait(self.service.wake, until):
            self.service.wake.clear()
            ready = self.service.ready()
        return self.service.ready() or ready

    # --- one request, or several --------------------------------------------------------------------------------------

    def _answer(self, taken: Sequence[tuple[Session, Job]]) -> None:
        clock, metrics = self.service.clock, self.service.metrics
        began = clock.now()
        try:
            chunks = self._predict(taken)
        except Exception as error:
            for session, job in taken:
                self._failed(session, job, error)
            return
        seconds = clock.now() - began
        metrics.infer.observe(seconds)
        metrics.batch.observe(len(taken))
        for (session, job), chunk in zip(taken, chunks, strict=True):
            self._sent(session, job, chunk, began, seconds)

    def _predict(self, taken: Sequence[tuple[Session, Job]]) -> list[ActionChunk]:
        for session, job in taken:
            # In shared mode the policy is everybody's and keeps nothing; nobody may reset it for the others.
            if new_episode(session, job.header) and not self.service.shared:
                session.policy.reset()
        asked = [(self._observation(job), self._task(job), job.guide) for _, job in taken]
        if len(taken) == 1:
            return [taken[0][0].policy.predict_chunk(*asked[0])]
        policy = taken[0][0].policy  # those in a batch agree in their names
        assert isinstance(policy, Batched), "MicroBatch is only for a policy that can"
        return policy.predict_chunks([obs for obs, _, _ in asked], [task for _, task, _ in asked])

    def _observation(self, job: Job) -> Observation:
        """On this machine's clock: the moment it came, less the age it had when it was sent."""
        return Observation(job.seen, job.came - job.age)

    def _task(self, job: Job) -> str:
        return self.service.limits.task if self.service.limits.task is not None else job.task

    def _sent(self, session: Session, job: Job, chunk: ActionChunk, began: float, seconds: float) -> None:
        service = self.service
        queue_s = began - job.came - job.decode_s
        try:
            body = chunk_body(
                chunk,
                decode_ms=job.decode_s * 1e3,
                queue_ms=queue_s * 1e3,
                infer_ms=seconds * 1e3,
                superseded=session.mailbox.superseded,
                load=service.load,
            )
        except WireError as error:
            self._failed(session, job, error)
            return
        self._send(session, job.header.answer(Kind.CHUNK), body, job)
        session.answered += 1
        service.metrics.answered.inc()
        service.metrics.queue.observe(queue_s)
        service.metrics.total.observe(service.clock.now() - job.came)
        self._audit(session, job, "chunk", queue_s, seconds)

    def _failed(self, session: Session, job: Job, error: Exception) -> None:
        log.error("the policy failed on a request of %s", session.robot, exc_info=error)
        text = str(error) if isinstance(error, UserError) else f"{type(error).__name__}: {error}"
        fix = error.fix if isinstance(error, UserError) else "the server's log has the traceback"
        self._send(session, job.header.answer(Kind.REFUSAL), RefusalBody("the policy failed", text, fix), job)
        self.service.metrics.failed.inc()
        self._audit(session, job, "failed", 0.0, 0.0)

    def _audit(self, session: Session, job: Job, outcome: str, queue_s: float, seconds: float) -> None:
        figures: dict[str, Any] = {"decode_ms": job.decode_s, "queue_ms": queue_s, "infer_ms": seconds}
        self.service.audit.write(
            "request",
            session,
            seq=job.header.seq,
            episode=job.header.episode,
            outcome=outcome,
            superseded=session.mailbox.superseded,
            **{name: round(value * 1e3, 3) for name, value in figures.items()},
        )
