"""The client's end of the wire: one Zenoh session, one pair of topics, one request in flight."""

from __future__ import annotations

import atexit
import logging
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Protocol

from lerobot_core.clock import Clock

from .transport import Security, endpoints, open_session, settings
from .trouble import Trouble
from .wire.bodies import decode, encode
from .wire.errors import WireError
from .wire.handshake import LIMIT, OpenReply, OpenRequest, Status
from .wire.header import Header, Kind, unpack
from .wire.keys import RobotKeys, ServerKeys, server_of, servers_of

if TYPE_CHECKING:
    import zenoh

log = logging.getLogger("lerobot.inference.remote")

QUERY_S = 2.0
"""How long a status or an opening may take; Zenoh's default is 10 s, longer than anybody wants to wait."""

LAST_WORDS_S = 1.0
"""How long a server whose token is gone may take to finish what it has; one that was killed never will."""


class Link(Protocol):
    """What the client needs of a transport; every method belongs to the worker's thread, except `abort`."""

    dropped: int
    """Messages that were malformed or answered something else."""

    def connect(self, until: float) -> None:
        """Reach somebody. Raises Trouble at `until`."""

    def servers(self, model: str | None) -> list[ServerKeys]:
        """Who announces a model."""

    def status(self, server: ServerKeys) -> Status | None:
        """What it says of itself; None when it does not answer."""

    def attach(self, keys: RobotKeys, nonce: str) -> None:
        """Listen to these keys and be seen at them, until the next `attach`."""

    def open(self, server: ServerKeys, request: OpenRequest) -> OpenReply | None:
        """Ask for a session; None when nobody answers."""

    def watch(self, server: ServerKeys) -> None:
        """From now on `ask` ends early when this server, or the connection, is lost."""

    def lost(self) -> str:
        """Why the watched server cannot be asked any more, "" while it can."""

    def ask(self, header: Header, body: bytes, until: float) -> tuple[Header, bytes] | None:
        """Send and wait for the answer to exactly this; None at `until`. Raises Trouble when the server is lost."""

    def abort(self) -> None:
        """End `ask` now, and every later one at once; from any thread."""

    def close(self) -> None:
        """Idempotent."""


class ZenohLink:
    """`Link` over Zenoh.

    The subscription is a ring of one: an answer that nobody took is replaced by the next. What Zenoh's threads do here
    is to leave something and set an event.

    Args:
        where: endpoints, see `transport.endpoints`.
    """

    def __init__(self, where: str, security: Security, clock: Clock) -> None:
        self.dropped = 0
        self._places, self._security, self._clock = endpoints(where), security, clock
        self._session: zenoh.Session | None = None
        self._declared: list[Any] = []
        self._publisher: zenoh.Publisher | None = None
        self._listener: threading.Thread | None = None
        self._stirred, self._stopped = threading.Event(), threading.Event()
        self._answer: tuple[bytes, bytes] | None = None
        self._watched: ServerKeys | None = None
        self._lost = self._notice = ""
        self._up = False

    # --- finding ----------------------------------------------------------------------------------------------------

    def connect(self, until: float) -> None:
        """A client opens once and does not retry by itself, so this does. Afterwards Zenoh reconnects on its own."""
        import zenoh

        while self._session is None:
            try:
                found = settings("client", connect=self._places, security=self._security)
                self._adopt(open_session(found))
            except zenoh.ZError as error:
                if self._clock.now() >= until or self._stopped.is_set():
                    raise Trouble(
                        f"nobody answers at {', '.join(self._places)}",
                        _plain(error),
                        "start the server (lr serve --policy …), or check --inference.connect and the certificates",
                    ) from error
                self._clock.wait(self._stopped, min(until, self._clock.now() + 0.2))

    def _adopt(self, session: zenoh.Session) -> None:
        import zenoh

        self._session, self._up = session, True
        # A thread that is inside Zenoh when the interpreter ends aborts the process; whoever forgot to close is helped.
        atexit.register(self.close)
        direct = zenoh.handlers.Callback
        # Deposit-only, so they may run on the receiving thread (indirect=False): no thread of Python's to hang at exit.
        self._transports = session.info.declare_transport_events_listener(
            direct(self._on_transport, indirect=False), history=True
        )
        self._tokens = session.liveliness().declare_subscriber(
            servers_of(), direct(self._on_token, indirect=False), history=True
        )

    @property
    def _open(self) -> zenoh.Session:
        if self._session is None:
            raise Trouble("the connection is closed", disconnected=True)
        return self._session

    def servers(self, model: str | None) -> list[ServerKeys]:
        """From their liveliness tokens."""
        replies = self._open.liveliness().get(servers_of(model), timeout=QUERY_S)
        found = {server_of(str(reply.ok.key_expr)) for reply in replies if reply.ok is not None}
        return sorted(each for each in found if each is not None)

    def status(self, server: ServerKeys) -> Status | None:
        """A query; a server that just announced itself may not be reachable for a moment, so it is asked twice."""
        for _ in range(2):
            for data in self._query(server.status, b""):
                return decode(data, Status, LIMIT)
        return None

    def open(self, server: ServerKeys, request: OpenRequest) -> OpenReply | None:
        """A query on the robot's own key."""
        keys = RobotKeys(server.model, self._robot)
        for data in self._query(keys.opening(server.replica), encode(request)):
            return decode(data, OpenReply, LIMIT)
        return None

    def _query(self, key: str, payload: bytes) -> Iterator[bytes]:
        import zenoh

        none = zenoh.ConsolidationMode.NONE
        for reply in self._open.get(key, payload=payload, timeout=QUERY_S, consolidation=none):
            if reply.ok is not None:
                yield reply.ok.payload.to_bytes()
            elif reply.err is not None:
                log.debug("%s: %s", key, reply.err.payload.to_bytes()[:200])

    # --- one session at a server --------------------------------------------------------------------------------------

    def attach(self, keys: RobotKeys, nonce: str) -> None:
        """Token first: a server that sees an opening without one would take the robot for gone."""
        import zenoh

        self._detach()
        session, self._robot = self._open, keys.robot
        subscriber = session.declare_subscriber(keys.actions, zenoh.handlers.RingChannel(1))
        # DROP never blocks; what is lost is asked again. express would send each fragment by itself.
        publisher = session.declare_publisher(
            keys.observations,
            congestion_control=zenoh.CongestionControl.DROP,
            priority=zenoh.Priority.DATA,
            express=False,
        )
        token = session.liveliness().declare_token(keys.alive(nonce))
        self._declared = [subscriber, publisher, token]
        self._publisher = publisher
        # undeclare() while a thread is inside subscriber.recv() raises "Already borrowed"; its handler may be waited on.
        self._listener = threading.Thread(
            target=self._listen, args=(subscriber.handler,), name="remote-answers", daemon=True
        )
        self._listener.start()

    def _detach(self) -> None:
        while self._declared:
            self._declared.pop().undeclare()

    def _listen(self, handler: Any) -> None:
        import zenoh

        while True:
            try:
                sample = handler.recv()
            except zenoh.ZError:  # undeclared or closed: the normal end
                return
            attachment = sample.attachment
            self._deposit(attachment.to_bytes() if attachment is not None else b"", sample.payload.to_bytes())

    def _deposit(self, attachment: bytes, payload: bytes) -> None:
        self._answer = (attachment, payload)
        self._stirred.set()

    def watch(self, server: ServerKeys) -> None:
        """Forget what was lost before."""
        self._watched, self._lost, self._notice = server, "", ""
        if not self._up:
            self._lose("the connection was lost")

    def lost(self) -> str:
        """Set by Zenoh's threads."""
        return self._lost or self._notice

    def _lose(self, why: str) -> None:
        self._lost = self._lost or why
        self._stirred.set()

    def _on_transport(self, event: Any) -> None:
        import zenoh

        self._up = event.kind == zenoh.SampleKind.PUT
        if not self._up:
            self._lose("the connection was lost")

    def _on_token(self, sample: Any) -> None:
        import zenoh

        watched = self._watched.alive if self._watched is not None else ""
        if sample.kind == zenoh.SampleKind.DELETE and str(sample.key_expr) == watched:
            # Not fatal for an answer under way: a server that drains undeclares first and finishes what it has.
            self._notice = "the server ended, or is about to"
            self._stirred.set()

    def ask(self, header: Header, body: bytes, until: float) -> tuple[Header, bytes] | None:
        """Late answers to earlier questions are counted and dropped."""
        self._answer = None
        self._stirred.clear()
        assert self._publisher is not None, "attach comes first"
        self._publisher.put(body, attachment=header.pack())
        while True:
            if self._notice:
                until = min(until, self._clock.now() + LAST_WORDS_S)
            stirred = self._clock.wait(self._stirred, until)
            self._stirred.clear()
            found = self._take(header)
            if found is not None:
                return found
            if self._stopped.is_set() or self._lost:
                raise Trouble(self._lost or "the engine was stopped", disconnected=True)
            if not stirred:
                return None

    def _take(self, asked: Header) -> tuple[Header, bytes] | None:
        answer, self._answer = self._answer, None
        if answer is None:
            return None
        try:
            header = unpack(answer[0])
        except WireError as error:
            log.debug("dropped an answer: %s", error)
            self.dropped += 1
            return None
        if header._replace(kind=asked.kind, flags=asked.flags) != asked or header.kind is Kind.OBSERVATION:
            self.dropped += 1
            return None
        return header, answer[1]

    def abort(self) -> None:
        """For `stop`."""
        self._stopped.set()
        self._stirred.set()

    def close(self) -> None:
        """Ends the listening thread as well."""
        session, self._session = self._session, None
        if session is not None:
            self._declared.clear()
            self._publisher = None
            session.close()  # type: ignore[no-untyped-call]
            atexit.unregister(self.close)
            if self._listener is not None:
                self._listener.join()


def _plain(error: Exception) -> str:
    """The first clause of one of Zenoh's long messages, without paths of its sources."""
    return str(error).split(" at /")[0].split(" - ")[0][:200]
