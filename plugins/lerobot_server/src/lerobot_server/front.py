"""Zenoh in front of the service: keys, tokens, queries; one reading thread for each robot."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from lerobot_inference_remote.wire.bodies import decode, encode
from lerobot_inference_remote.wire.errors import WireError
from lerobot_inference_remote.wire.handshake import LIMIT, OpenReply, OpenRequest
from lerobot_inference_remote.wire.header import Header
from lerobot_inference_remote.wire.keys import RobotKeys, ServerKeys, robot_of, segment

from .service import Service
from .sessions import Job, Session

if TYPE_CHECKING:
    import zenoh

log = logging.getLogger("lerobot.serve")

PENDING = 256
"""Queries that may wait; older ones are dropped, and an unanswered robot asks again."""
SWEEP_S = 1.0


class Topics:
    """What is declared for one session: its own concrete keys, so that access rules need no wildcard for data.

    Each robot has a ring of one and a thread that reads it: the newest observation waits in Zenoh, not in Python, and
    a robot that floods slows nobody but itself.
    """

    def __init__(self, zenoh_session: zenoh.Session, keys: RobotKeys, session: Session, front: Front) -> None:
        import zenoh

        self.session, self._front = session, front
        # DROP, never BLOCK: one robot's dead uplink must not hold up the others. A lost chunk is asked for again.
        self._publisher = zenoh_session.declare_publisher(
            keys.actions,
            congestion_control=zenoh.CongestionControl.DROP,
            priority=zenoh.Priority.INTERACTIVE_HIGH,
            reliability=zenoh.Reliability.RELIABLE,
            express=True,
        )
        self._subscriber = zenoh_session.declare_subscriber(keys.observations, zenoh.handlers.RingChannel(1))
        handler: Any = self._subscriber.handler
        threading.Thread(target=self._read, args=(handler,), name=f"robot-{session.robot}", daemon=True).start()

    def _read(self, handler: Any) -> None:
        import zenoh

        while True:
            try:
                sample = handler.recv()
            except zenoh.ZError:  # undeclared or closed: the normal end
                return
            attachment = sample.attachment
            raw = attachment.to_bytes() if attachment is not None else None
            answer = self._front.service.receive(self.session, raw, sample.payload.to_bytes())
            if answer is not None:
                self.send(*answer)

    def send(self, header: Header, body: Any) -> None:
        """Put an answer on its way."""
        import zenoh

        try:
            self._publisher.put(b"" if body is None else encode(body), attachment=header.pack())
        except zenoh.ZError as error:
            log.debug("could not send to %s: %s", self.session.robot, error)

    def close(self) -> None:
        """The reading thread ends by it."""
        for declared in (self._subscriber, self._publisher):
            declared.undeclare()  # type: ignore[no-untyped-call]


class Front:
    """Answers queries on a thread of its own, because Zenoh's callbacks may not wait.

    Args:
        session: open; closed by whoever opened it.
    """

    def __init__(self, service: Service, session: zenoh.Session) -> None:
        self.service, self._zenoh = service, session
        self.keys = ServerKeys(segment(service.model), service.replica)
        self._topics: dict[int, Topics] = {}
        self._present: set[tuple[str, str]] = set()
        self._inbox: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._token: Any = None
        self._declared: list[Any] = []

    def start(self) -> None:
        """Answer questions; not announced yet."""
        import zenoh

        direct, session = zenoh.handlers.Callback, self._zenoh
        threading.Thread(target=self._work, name="serve-control", daemon=True).start()
        self._declared = [
            session.liveliness().declare_subscriber(
                self.keys.robots, direct(self._on_token, indirect=False), history=True
            ),
            session.declare_queryable(self.keys.status, direct(self._on_status, indirect=False)),
            session.declare_queryable(self.keys.openings, direct(self._on_open, indirect=False)),
        ]

    def announce(self) -> None:
        """The policy is warm: robots may come."""
        self._token = self._zenoh.liveliness().declare_token(self.keys.alive)

    def withdraw(self) -> None:
        """No new sessions; those that are open finish what they asked."""
        self.service.draining = True
        token, self._token = self._token, None
        if token is not None:
            token.undeclare()

    def stop(self) -> None:
        """Forget everybody. Idempotent."""
        self._inbox.put(None)
        for declared in self._declared:
            declared.undeclare()
        self._declared = []
        for topics in list(self._topics.values()):
            self._drop(topics.session, "the server ends")

    def send(self, session: Session, header: Header, body: Any, job: Job | None = None) -> None:
        """The worker's way out."""
        topics = self._topics.get(session.id)
        if topics is not None:
            topics.send(header, body)

    def sweep(self) -> None:
        """Close sessions of which nothing is seen or heard any more; called now and then."""
        for session in self.service.idle(self.service.clock.now()):
            self._inbox.put(lambda gone=session: self._drop(gone, "silent"))  # type: ignore[misc]

    # --- on Zenoh's threads: leave it and go --------------------------------------------------------------------------

    def _on_token(self, sample: Any) -> None:
        import zenoh

        there, key = sample.kind == zenoh.SampleKind.PUT, str(sample.key_expr)
        self._inbox.put(lambda: self._token_changed(key, there))

    def _on_status(self, query: Any) -> None:
        self._leave(lambda: self._answer_status(query))

    def _on_open(self, query: Any) -> None:
        self._leave(lambda: self._answer_open(query))

    def _leave(self, job: Callable[[], None]) -> None:
        if self._inbox.qsize() < PENDING:
            self._inbox.put(job)
        else:
            self.service.metrics.dropped.labels("too many queries").inc()

    # --- on the control thread ----------------------------------------------------------------------------------------

    def _work(self) -> None:
        while (job := self._inbox.get()) is not None:
            try:
                job()
            except Exception:
                log.exception("a query could not be answered")

    def _answer_status(self, query: Any) -> None:
        with query:  # a query is over only when it is dropped
            query.reply(self.keys.status, encode(self.service.status()))

    def _answer_open(self, query: Any) -> None:
        with query:
            key = str(query.key_expr)
            reply = self._opened(key.split("/"), query.payload.to_bytes() if query.payload is not None else b"")
            query.reply(key, encode(reply))

    def _opened(self, key: list[str], payload: bytes) -> OpenReply:
        try:
            request = decode(payload, OpenRequest, LIMIT)
            if len(key) != 5 or not request.robot or segment(request.robot) != key[2]:
                raise WireError("robot", "the key names another robot than the request")
        except WireError as error:
            self.service.metrics.dropped.labels(error.code).inc()
            return OpenReply(False, code=error.code, reasons=[str(error)])
        earlier = [each for each in self.service.sessions if each.robot == request.robot]
        reply, session = self.service.open(request)
        if session is not None:
            for each in earlier:
                self._drop(each, "opened anew")
            session.seen = (key[2], request.nonce) in self._present
            self._topics[session.id] = Topics(self._zenoh, RobotKeys(key[1], key[2]), session, self)
            log.info("opened %s: session %016x", session.robot, session.id)
        return reply

    def _token_changed(self, key: str, there: bool) -> None:
        """A token that goes is a client that ended, or a connection that broke; either opens a new session."""
        who = robot_of(key)
        if who is None:
            return
        (self._present.add if there else self._present.discard)(who)
        for session in self.service.sessions:
            if (segment(session.robot), session.nonce) == who:
                session.seen = there
                if not there:
                    self._drop(session, "the robot is gone")

    def _drop(self, session: Session, why: str) -> None:
        self.service.close(session, why)
        topics = self._topics.pop(session.id, None)
        if topics is not None:
            topics.close()
