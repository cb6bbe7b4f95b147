"""From a model's name to an open session: who offers it, who has room, whether it is still the same model."""

from __future__ import annotations

import logging
import random
import secrets
from collections.abc import Callable
from typing import NamedTuple

from lerobot_core.clock import Clock

from .config import RemoteConfig
from .link import Link
from .trouble import Refused, Trouble
from .wire.bodies import RefusalBody, decode
from .wire.errors import WireError
from .wire.handshake import LIMIT, OpenReply, OpenRequest, Status, common_schema, proof
from .wire.header import SCHEMAS, Header, Kind
from .wire.keys import RobotKeys, ServerKeys, segment

log = logging.getLogger("lerobot.inference.remote")

PROBE_S = 1.0
FIND_S = 0.1


class Opened(NamedTuple):
    """A session at a server."""

    server: ServerKeys
    status: Status
    reply: OpenReply


class Connection:
    """Finds and opens; used on one thread at a time.

    Args:
        link: the transport.
        request: makes the request for a server's status and this robot, without `proof`.
        robot: this robot's name at the servers.
    """

    def __init__(self, config: RemoteConfig, link: Link, clock: Clock, robot: str) -> None:
        self.config, self.link, self.robot = config, link, robot
        self.nonce = secrets.token_hex(8)
        self._clock = clock
        self._model = segment(config.model) if config.model else None

    def find(self, until: float) -> Status:
        """What the model is, by a server that is up; this settles which model is meant.

        Raises:
            Trouble: nobody announces it before `until`.
            Refused: several models are announced and none was named.
        """
        self.link.connect(until)
        while True:
            found = self._statuses()
            if found:
                return found[0][1]
            if self._clock.now() >= until:
                wanted = f"the model {self.config.model!r}" if self.config.model else "a model"
                raise Trouble(
                    f"nobody announces {wanted}",
                    f"{self.config.connect} answers, but no server is ready behind it",
                    "a server announces itself once it is warm; lr serve status tells where it stands",
                )
            self._clock.sleep_until(min(until, self._clock.now() + FIND_S))

    def _statuses(self) -> list[tuple[ServerKeys, Status]]:
        """Every replica of the model that answers, the emptiest first: Zenoh itself would always ask the same one."""
        servers = self.link.servers(self._model)
        if self._model is None:
            self._settle({each.model for each in servers})
        asked = [(each, self._status(each)) for each in servers]
        found = [(server, status) for server, status in asked if status is not None]
        random.shuffle(found)
        return sorted(found, key=lambda pair: (pair[1].draining, pair[1].robots / max(pair[1].capacity, 1)))

    def _status(self, server: ServerKeys) -> Status | None:
        try:
            return self.link.status(server)
        except WireError as error:
            log.warning("%s answers in words that are not understood here: %s", server.alive, error)
            return None

    def _settle(self, models: set[str]) -> None:
        if len(models) > 1:
            names = ", ".join(sorted(models))
            raise Refused("which model?", f"announced: {names}", f"--inference.model {min(models)}")
        self._model = next(iter(models), None)

    def open(self, make: Callable[[Status], OpenRequest], same: Callable[[Status], None]) -> Opened:
        """A session at the first replica that says yes, proven in both directions.

        Args:
            make: the request for a replica, without `proof`.
            same: raises Refused when a replica has another model than the run began with.

        Raises:
            Trouble: nobody is there, or nobody has room now.
            Refused: it is no use asking again.
        """
        found = self._statuses()
        if not found:
            raise Trouble("no server announces the model", "", "start one: lr serve", disconnected=True)
        refusals: list[Exception] = []
        for server, status in found:
            try:
                same(status)
                return self._open_at(server, status, make(status))
            except (Trouble, Refused) as error:
                refusals.append(error)
        raise next((error for error in refusals if isinstance(error, Trouble)), refusals[0])

    def _open_at(self, server: ServerKeys, status: Status, request: OpenRequest) -> Opened:
        if status.challenge is not None:
            request.proof = proof(self.config.token or "", status.challenge, request.robot, request.nonce)
        if common_schema(SCHEMAS, status.schemas) is None:
            raise Refused(
                f"the server speaks wire schemas {status.schemas}, this robot {SCHEMAS}",
                f"server {status.version or '?'}",
                "install the same lerobot-inference-remote on both sides",
            )
        keys = RobotKeys(server.model, segment(self.robot))
        self.link.attach(keys, self.nonce)
        self.link.watch(server)
        try:
            reply = self.link.open(server, request)
        except WireError as error:
            raise Trouble("the server's answer is not understood", str(error), disconnected=True) from error
        if reply is None:
            raise Trouble(
                f"{keys.opening(server.replica)} was not answered",
                "the server is there, so the question or the answer is not let through",
                "check the access rules for this robot's name",
                disconnected=True,
            )
        self._accepted(server, reply)
        self._prove(server, reply)
        return Opened(server, status, reply)

    def _accepted(self, server: ServerKeys, reply: OpenReply) -> None:
        for warning in reply.warnings:
            log.warning("server: %s", warning)
        if reply.accepted:
            return
        kind = Trouble if reply.retry else Refused
        why = "\n  ".join(reply.reasons)
        raise kind(f"server {server.replica} of {server.model} refuses {self.robot!r}: {reply.code}", why, reply.fix)

    def _prove(self, server: ServerKeys, reply: OpenReply) -> None:
        """One message each way on the data topics: where access is denied nothing is ever said, it just looks like loss."""
        header = Header(Kind.PROBE, reply.session, mono_ns=1, schema=reply.schema)
        for _ in range(2):
            answer = self.link.ask(header, b"", self._clock.now() + PROBE_S)
            if answer is not None and answer[0].kind is Kind.PROBE:
                return
            if answer is not None:
                refusal = decode(answer[1], RefusalBody, LIMIT)
                raise Trouble(
                    f"the server refuses the session it gave: {refusal.code}", refusal.text, disconnected=True
                )
        keys = RobotKeys(server.model, segment(self.robot))
        status = self._status(server)
        heard = status is not None and keys.robot in status.heard
        silent = keys.actions if heard else keys.observations
        raise Trouble(
            f"nothing comes through on {silent}",
            "the server heard this robot and answered" if heard else "the server never heard this robot there",
            "a certificate that names another robot, or access rules without this key, deny in silence",
            disconnected=True,
        )
