"""The server without a network: sessions, mailboxes, and what is said to whom. Any transport can stand in front of it."""

from __future__ import annotations

import logging
import secrets
import threading
from collections.abc import Callable
from typing import Any

from lerobot_core.clock import Clock
from lerobot_core.contracts.policy import Policy, RobotAware, Shareable
from lerobot_core.errors import InferenceError, UserError
from lerobot_core.features import camera_names, vector_names
from lerobot_core.types import Features
from lerobot_inference_remote.wire.bodies import LONGEST_TASK, ObservationBody, RefusalBody, decode, guide_of, values
from lerobot_inference_remote.wire.errors import WireError
from lerobot_inference_remote.wire.handshake import OpenReply, OpenRequest, Status, features_of, to_wire
from lerobot_inference_remote.wire.header import FIRST, Header, Kind, unpack
from lerobot_inference_remote.wire.keys import segment

from . import __version__, capability
from .audit import Audit
from .capability import Verdict
from .config import Limits
from .metrics import Metrics
from .sessions import Job, Session

log = logging.getLogger("lerobot.serve")

SPARE_BYTES = 1 << 20
"""What an observation may have beyond its pixels: names, states, a leftover, the instruction."""

Send = Callable[[Session, Header, Any, Job], None]


class Service:
    """One policy and the robots that use it. Its methods may be called from any thread; the policy is the worker's.

    Args:
        policy: warm or not.
        identity: (model, the policy's type, the checkpoint's fingerprint).
        limits: what is refused.

    Raises:
        InferenceError: the policy gives no chunks.
    """

    def __init__(
        self,
        policy: Policy,
        identity: tuple[str, str, str],
        limits: Limits,
        clock: Clock,
        metrics: Metrics | None = None,
        audit: Audit | None = None,
    ) -> None:
        refuse_without_chunks(policy)
        self.policy, self.limits, self.clock = policy, limits, clock
        self.model, self.family, self.hash = identity
        self.replica = secrets.token_hex(4)
        self.metrics, self.audit = metrics or Metrics(), audit or Audit(None)
        self.shared = bool(policy.stateless)
        self.capacity = limits.robots if self.shared else 1
        self.wake = threading.Event()
        self.draining = False
        self.keep_bodies = False
        self._challenge = secrets.token_bytes(16)
        self._lock = threading.Lock()
        self._sessions: dict[int, Session] = {}

    # --- who is here --------------------------------------------------------------------------------------------------

    @property
    def sessions(self) -> list[Session]:
        """Those that are open, oldest first."""
        with self._lock:
            return list(self._sessions.values())

    @property
    def load(self) -> float:
        """Share of the capacity in use."""
        return len(self._sessions) / self.capacity

    def status(self) -> Status:
        """What anybody may know."""
        policy = self.policy
        return Status(
            model=self.model,
            replica=self.replica,
            policy=self.family,
            hash=self.hash,
            needs=to_wire(policy.needs),
            gives=to_wire(policy.gives),
            chunk_size=policy.chunk_size,
            n_action_steps=policy.n_action_steps,
            fps=policy.fps,
            guidance=policy.guidance,
            shared=self.shared,
            task=self.limits.task,
            robots=len(self._sessions),
            capacity=self.capacity,
            draining=self.draining,
            challenge=self._challenge if self.limits.token is not None else None,
            heard=[segment(each.robot) for each in self.sessions if each.probed],
            version=__version__,
        )

    # --- opening and closing ------------------------------------------------------------------------------------------

    def open(self, request: OpenRequest) -> tuple[OpenReply, Session | None]:
        """A session, or every reason against one; the robot's own earlier session ends."""
        verdict = Verdict()
        schema = capability.check_schema(verdict, request)
        capability.check_token(verdict, request, self.limits.token, self._challenge)
        session = None
        if not verdict.reasons:
            capability.check_hash(verdict, request, self.hash)
            capability.check_task(verdict, request.task, self.limits.task)
            session = self._session(verdict, request)
        if session is None or verdict.reasons or not self._admit(verdict, session):
            return self._no(verdict, request), None
        self.audit.write("open", session=session, nonce=session.nonce)
        reply = OpenReply(
            True,
            session.id,
            schema,
            list(session.states),
            dict(session.cameras),
            warnings=verdict.warnings,
            robots=len(self._sessions),
            capacity=self.capacity,
        )
        view = session.policy
        if view.gives != self.policy.gives:  # it took this robot's names
            reply.needs, reply.gives = to_wire(view.needs), to_wire(view.gives)
        return reply, session

    def _no(self, verdict: Verdict, request: OpenRequest) -> OpenReply:
        self.metrics.refused.labels(verdict.code).inc()
        self.audit.write("refused", robot=request.robot, code=verdict.code, reasons=verdict.reasons)
        log.info("refused %s: %s", request.robot, "; ".join(verdict.reasons))
        return OpenReply(
            False,
            code=verdict.code,
            reasons=verdict.reasons,
            fix="; ".join(dict.fromkeys(verdict.fixes)),
            retry=verdict.retry,
            robots=len(self._sessions),
            capacity=self.capacity,
        )

    def _session(self, verdict: Verdict, request: OpenRequest) -> Session | None:
        try:
            observation, action = features_of(request.observation), features_of(request.action)
            view = self._view(observation, action)
            capability.check_features(verdict, view.needs, view.gives, observation, action)
            states = vector_names(view.needs)
        except (WireError, UserError) as error:
            verdict.refuse("features", str(error))
            return None
        cameras = {name: _shape(view.needs, name) for name in camera_names(view.needs)}
        pixels = sum(height * width * depth for height, width, depth in cameras.values())
        now = self.clock.now()
        return Session(
            secrets.randbits(63) | 1,
            request.robot,
            request.nonce,
            view,
            states,
            cameras,
            pixels + SPARE_BYTES,
            now,
            now,
        )

    def _view(self, observation: Features, action: Features) -> Policy:
        """The policy as this robot has it: with processors of its own where the policy can give them."""
        view = self.policy.for_robot() if self.shared and isinstance(self.policy, Shareable) else self.policy
        if isinstance(view, RobotAware):
            view.bind(observation, action)
        return view

    def _admit(self, verdict: Verdict, session: Session) -> bool:
        """Put it in, if there is room and nobody else has its name."""
        with self._lock:
            same = next((each for each in self._sessions.values() if each.robot == session.robot), None)
            others = len(self._sessions) - (same is not None)
            if self.draining:
                verdict.refuse("draining", "this server is about to end", retry=True)
            elif same is not None and same.nonce != session.nonce:
                text = f"another process is connected as {session.robot!r}"
                verdict.refuse("robot in use", text, "give each robot its own --robot.id", retry=True)
            elif others >= self.capacity:
                kind = "" if self.shared else " (its policy keeps state, so it serves one robot)"
                text = f"{others} of {self.capacity} robots are connected{kind}"
                verdict.refuse("full", text, "start another replica: lr serve", retry=True)
            else:
                if same is not None:
                    del self._sessions[same.id]
                self._sessions[session.id] = session
                return True
        return False

    def close(self, session: Session, why: str) -> None:
        """Forget it; idempotent."""
        with self._lock:
            gone = self._sessions.pop(session.id, None)
        if gone is not None:
            log.info("closed %s: %s", session.robot, why)
            self.audit.write("close", session=session, why=why, answered=session.answered)

    def idle(self, now: float) -> list[Session]:
        """Sessions that nobody sees and that have been silent for too long."""
        return [each for each in self.sessions if not each.seen and now - each.heard > self.limits.idle_s]

    # --- observations -------------------------------------------------------------------------------------------------

    def receive(self, session: Session, attachment: bytes | None, payload: bytes) -> tuple[Header, Any] | None:
        """One message of a robot's data topic, on that session's thread; what to answer at once, None for nothing."""
        came = self.clock.now()
        try:
            header = unpack(attachment)
            if header.kind not in (Kind.OBSERVATION, Kind.PROBE):
                raise WireError("kind", header.kind.name)
            if header.session != session.id or session.id not in self._sessions:
                self.metrics.dropped.labels("session").inc()
                return header.answer(Kind.REFUSAL), RefusalBody("unknown session", retry=True)
            session.heard = came
            if header.kind is Kind.PROBE:
                session.probed = True
                return header.answer(Kind.PROBE), None
            session.mailbox.put(self._job(session, header, payload, came))
        except WireError as error:
            session.malformed += 1
            self.metrics.dropped.labels(error.code).inc()
            log.debug("dropped a message from %s: %s", session.robot, error)
            return None
        self.wake.set()
        return None

    def _job(self, session: Session, header: Header, payload: bytes, came: float) -> Job:
        body = decode(payload, ObservationBody, session.limit)
        seen = values(body, session.states, session.cameras)
        guide = guide_of(body.guide, session.policy.gives)
        if len(body.task) > LONGEST_TASK:
            raise WireError("task")
        decode_s = self.clock.now() - came
        self.metrics.decode.observe(decode_s)
        raw = payload if self.keep_bodies else None
        return Job(header, seen, body.task, body.age, guide, came, decode_s, raw)

    def ready(self) -> list[Session]:
        """Who has something waiting."""
        return [each for each in self.sessions if each.mailbox.waiting is not None]


def new_episode(session: Session, header: Header) -> bool:
    """Does this observation begin an episode."""
    began = header.episode != session.episode or bool(header.flags & FIRST)
    session.episode = header.episode
    return began


def refuse_without_chunks(policy: Policy) -> None:
    """InferenceError for a policy that gives single actions: a robot cannot wait for the network at every one."""
    if not callable(getattr(policy, "predict_chunk", None)) or policy.chunk_size < 2:
        raise InferenceError(
            "this policy gives no chunks of actions",
            f"chunk_size is {getattr(policy, 'chunk_size', 0)}: every single action would wait for the network",
            "run it beside the robot: lr rollout --inference sync",
        )


def _shape(needs: Features, name: str) -> tuple[int, int, int]:
    height, width, depth = needs[name].shape
    return height, width, depth
