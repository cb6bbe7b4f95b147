"""A policy that is somewhere else: to the engine it is a policy like any other, only that a call may fail and pass."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from typing import Any, Literal, NoReturn

from lerobot_core.clock import Clock
from lerobot_core.contracts.inference import Meeting
from lerobot_core.types import ActionChunk, Features, Guide, Observation

from .checkpoint_hash import fingerprint
from .codec import Encoder
from .config import RemoteConfig
from .connection import Connection, Opened
from .figures import Figures
from .link import Link
from .pace import Backoff, Patience
from .trouble import Refused, Trouble
from .wire.bodies import ChunkBody, RefusalBody, chunk_of, decode
from .wire.errors import WireError
from .wire.handshake import LIMIT, FeatureBody, OpenRequest, Status, features_of, to_wire
from .wire.header import FIRST, Header, Kind
from .wire.pictures import preload

log = logging.getLogger("lerobot.inference.remote")

CHUNK_LIMIT = 8 << 20
MISSES = 3
"""After so many unanswered requests in a row the session is opened anew, perhaps elsewhere."""


class RemotePolicy:
    """`Policy` over a `Link`.

    `meet` finds it, `warmup` opens the session, `predict_chunk` asks. A call that fails raises `Trouble`, which passes,
    or `Refused`, which does not; what was lost is opened again by the call after it.

    Attributes:
        seq: the number that the next chunk will have in the rows; set by the engine.
        episode: resets so far.
        opened: the session, None while there is none.
    """

    ensemble: float | None = None

    def __init__(self, config: RemoteConfig, link: Link, clock: Clock) -> None:
        self.config, self.link, self._clock = config, link, clock
        self.needs: Features = {}
        self.gives: Features = {}
        self.chunk_size = self.n_action_steps = 0
        self.fps: float | None = None
        self.guidance: Literal["none", "guided", "trained"] = "none"
        self.stateless = True
        self.seq = self.episode = 0
        self.opened: Opened | None = None
        self.figures = Figures()
        self.patience, self._backoff = Patience(config.request_timeout_s), Backoff()
        self._encoder = Encoder(config.jpeg_quality)
        self._first: Status | None = None
        self._meeting = Meeting()
        self._hash = ""
        self._fresh = True
        self._silent_since: float | None = None
        self._stopped = threading.Event()
        self._connection: Connection

    # --- the handshake ------------------------------------------------------------------------------------------------

    def meet(self, meeting: Meeting) -> None:
        """Find the server and learn what the policy is; `meeting` has the robot's features under the policy's names.

        Raises:
            Trouble: nobody is there before `connect_timeout_s`.
            Refused: it is another policy than the one that was named.
        """
        robot = self.config.robot or meeting.robot or f"{meeting.robot_type or 'robot'}-{id(self) & 0xFFFFFF:06x}"
        self._meeting = meeting
        self._hash = self.config.policy_hash or (fingerprint(meeting.policy) if meeting.policy else "")
        self._connection = Connection(self.config, self.link, self._clock, robot)
        status = self._connection.find(self._clock.now() + self.config.connect_timeout_s)
        self._learn(status)

    def _learn(self, status: Status) -> None:
        self._name(status.needs, status.gives)
        self.chunk_size, self.n_action_steps = status.chunk_size, status.n_action_steps
        self.fps = status.fps
        if status.guidance in ("guided", "trained"):
            self.guidance = status.guidance  # type: ignore[assignment]
        self._first = status

    def _name(self, needs: Mapping[str, FeatureBody], gives: Mapping[str, FeatureBody]) -> None:
        try:
            self.needs, self.gives = features_of(needs), features_of(gives)
        except WireError as error:
            raise Refused("the server's description of its policy is not understood", str(error)) from error

    def warmup(self) -> None:
        """Open the session, at once or within `connect_timeout_s`: a server that is full may have room in a moment."""
        preload()
        until = self._clock.now() + self.config.connect_timeout_s
        while True:
            try:
                self._ensure()
                return
            except Trouble:
                if self._clock.now() >= until or self._stopped.is_set():
                    raise
                self._clock.wait(self._stopped, self._clock.now() + self._backoff.left(self._clock.now()))

    def _request(self, status: Status) -> OpenRequest:
        meeting = self._meeting
        return OpenRequest(
            robot=self._connection.robot,
            nonce=self._connection.nonce,
            observation=to_wire(meeting.observation),
            action=to_wire(meeting.action),
            robot_type=meeting.robot_type,
            fps=meeting.fps,
            task=meeting.task,
            guided=self.guidance != "none" and self.config.mode not in ("replace", "append"),
            hash=self._hash,
        )

    def _same(self, status: Status) -> None:
        """Raises Refused when this is not the model that everything was checked against."""
        first = self._first
        assert first is not None, "meet comes first"
        for part in ("hash", "policy", "needs", "gives", "chunk_size", "fps"):
            before, now = getattr(first, part), getattr(status, part)
            if before != now:
                raise Refused(
                    f"another model answers to {status.model!r} than the one this run began with",
                    f"{part}: {_short(before)} before, {_short(now)} now",
                    "its actions were never checked against this robot; start the run again",
                )

    def _ensure(self) -> Opened:
        """The open session; a new one when there is none or its server is lost."""
        lost = self.link.lost() if self.opened is not None else ""
        if lost or self.patience.misses >= MISSES:
            log.warning(
                "looking for the server again: %s", lost or f"{self.patience.misses} requests without an answer"
            )
            self.opened = None
            self.figures.reconnects += 1
        if self.opened is not None:
            return self.opened
        now = self._clock.now()
        if not self._backoff.due(now):
            self._clock.wait(self._stopped, now + self._backoff.left(now))
        try:
            self.opened = self._connection.open(self._request, self._same)
        except Trouble:
            self._backoff.failed(self._clock.now())
            raise
        self._backoff.worked()
        self.patience.misses = 0
        self._fresh = True
        if self.opened.reply.gives:  # a policy without names of its own took this robot's
            self._name(self.opened.reply.needs, self.opened.reply.gives)
        server = self.opened.server
        log.info("session %016x at replica %s of %s", self.opened.reply.session, server.replica, server.model)
        return self.opened

    @property
    def label(self) -> str:
        """`remote:SESSION/EPISODE`, as it stands in rows; the server's audit lines have both."""
        session = self.opened.reply.session if self.opened else 0
        return f"remote:{session:016x}/{self.episode}"

    # --- asking -------------------------------------------------------------------------------------------------------

    def predict_chunk(self, obs: Observation, task: str, guide: Guide | None = None) -> ActionChunk:
        """One question, one answer, or an error.

        Raises:
            Trouble: no answer this time.
            Refused: there will be none, or not for `max_offline_s`.
        """
        try:
            chunk = self._ask(obs, task, guide)
        except Trouble as error:
            self._give_up_after(error)
            raise
        self._silent_since = None
        return chunk

    def _give_up_after(self, error: Trouble) -> None:
        now = self._clock.now()
        if self._silent_since is None:
            self._silent_since = now
        if now - self._silent_since > self.config.max_offline_s:
            raise Refused(
                f"no answer for {self.config.max_offline_s:g} s", error.what, "--inference.max-offline-s SECONDS"
            ) from error

    def _ask(self, obs: Observation, task: str, guide: Guide | None) -> ActionChunk:
        opened, now = self._ensure(), self._clock.now
        reply = opened.reply
        began = now()
        body = self._encoder.encode(obs, reply.states, reply.cameras, task, began, guide)
        sent = now()
        self.figures.encode.add(sent - began)
        flags = FIRST if self._fresh else 0
        header = Header(Kind.OBSERVATION, reply.session, self.seq, self.episode, int(sent * 1e9), flags, reply.schema)
        answer = self.link.ask(header, body, sent + self.patience.deadline_s)
        if answer is None:
            self._missed(now() - sent)
        self.patience.answered(now() - sent)
        return self._read(*answer, now() - sent)

    def _missed(self, waited: float) -> NoReturn:
        self.patience.missed()
        self.figures.timeouts += 1
        raise Trouble(f"no answer within {waited:.2f} s")

    def _read(self, header: Header, data: bytes, seconds: float) -> ActionChunk:
        try:
            if header.kind is Kind.REFUSAL:
                self._refused(decode(data, RefusalBody, LIMIT))
            body = decode(data, ChunkBody, CHUNK_LIMIT)
            chunk = chunk_of(body)
        except WireError as error:
            self.figures.malformed += 1
            raise Trouble("the server's answer is not understood", str(error)) from error
        self._fresh = False
        self.figures.answered(seconds, body)
        return chunk

    def _refused(self, refusal: RefusalBody) -> None:
        self.figures.refusals += 1
        if refusal.code == "unknown session":
            self.opened = None
        kind = Trouble if refusal.retry else Refused
        raise kind(f"the server: {refusal.code}", refusal.text, refusal.fix)

    def reset(self) -> None:
        """A new episode: its number travels with the next observation, so nothing has to be sent, or lost, now."""
        self.episode += 1
        self._fresh = True

    def abort(self) -> None:
        """End a call that waits; from any thread."""
        self._stopped.set()
        self.link.abort()

    def close(self) -> None:
        """Idempotent."""
        self.abort()
        self._encoder.close()
        self.link.close()

    def report(self) -> Mapping[str, Any]:
        """For the summary."""
        opened = self.opened
        return {
            "model": opened.server.model if opened else None,
            "replica": opened.server.replica if opened else None,
            "robot": self._connection.robot if self._first else None,
            "session": f"{opened.reply.session:016x}" if opened else None,
            "episodes": self.episode + 1,
            "dropped_messages": self.link.dropped,
            **self.figures.report(),
        }


def _short(value: Any) -> str:
    return str(value if not isinstance(value, dict) else sorted(value))[:120]
