"""`lr serve` from options to the exit code: build, warm up, announce, serve, drain."""

from __future__ import annotations

import json
import logging
import signal
import threading
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lerobot_core.clock import Clock, RealClock
from lerobot_core.contracts.policy import Batched, Policy
from lerobot_core.errors import ConfigError, InferenceError
from lerobot_core.specs import Parts
from lerobot_inference_remote.checkpoint_hash import fingerprint
from lerobot_inference_remote.transport import Security, endpoints, open_session, require_safe, settings

from .audit import Audit
from .config import Limits, NetworkConfig, ServeConfig
from .front import SWEEP_S, Front
from .health import Health
from .metrics import Metrics
from .scheduler import MicroBatch, RoundRobin, Scheduler
from .service import Service
from .worker import Worker

if TYPE_CHECKING:
    from lerobot_core.registry import Registry

log = logging.getLogger("lerobot.serve")


def serve(config: ServeConfig, registry: Registry) -> int:
    """Run until a signal, then let what is being computed finish. Returns the exit code.

    Raises:
        UserError: the policy, a certificate or a port cannot be had.
    """
    stop = Stop()
    with ExitStack() as stack:
        stop.install(stack)
        server = Server(config, build(config, registry), RealClock(), stack)
        server.start()
        if not server.wait_warm(stop.asked):
            return 0
        server.announce()
        server.watch(stop.asked)
        server.drain()
    if server.worker.error is not None:
        raise server.worker.error
    if config.json:
        print(json.dumps(server.summary()), flush=True)
    return 0


class Stop:
    """SIGTERM and SIGINT as an event."""

    def __init__(self) -> None:
        self.asked = threading.Event()

    def install(self, stack: ExitStack) -> None:
        """Until the stack is unwound."""
        for number in (signal.SIGTERM, signal.SIGINT):
            before = signal.signal(number, lambda *_: self.asked.set())
            stack.callback(signal.signal, number, before)


def build(config: ServeConfig, registry: Registry) -> Policy:
    """The policy that was named.

    Raises:
        UserError: none was, or it cannot be built.
    """
    chosen = config.policy
    if chosen is None:
        raise ConfigError("no policy was named", "", "lr serve --policy NAME, FOLDER or org/name")
    parts = Parts(clock=RealClock(), log=logging.getLogger("lerobot.policy"))
    policy: Policy = registry.hook.build(kind="policy", spec=chosen.spec, config=chosen.config, parts=parts)
    return policy


def security_of(config: NetworkConfig) -> Security:
    """What `--tls DIR` holds."""
    if config.tls is None and any(each.startswith(("tls/", "quic/")) for each in listening(config)):
        fix = "--tls FOLDER (lr serve --init-tls FOLDER makes them)"
        raise ConfigError(f"{config.listen} needs certificates", "no --tls was given", fix)
    if config.tls is None:
        return Security()
    from .certificates import load

    return load(config.tls)


def listening(config: NetworkConfig) -> list[str]:
    """Where to listen; nowhere for `none`."""
    return [] if config.listen in ("", "none") else endpoints(config.listen)


class Server:
    """Everything of one `lr serve`; `stack` closes it."""

    def __init__(self, config: ServeConfig, policy: Policy, clock: Clock, stack: ExitStack) -> None:
        assert config.policy is not None
        self.config, self.clock = config, clock
        audit = Audit(config.audit_log)
        stack.callback(audit.close)
        stack.callback(policy.close)
        identity = (config.model or config.policy.name, config.policy.name, fingerprint(config.policy))
        limits = Limits(config.max_robots, config.task, config.token, config.idle_s)
        self.service = Service(policy, identity, limits, clock, Metrics(), audit)
        self.health = self._health(stack)
        self.places = listening(config) if not config.connect else []
        self.front = Front(self.service, self._open(stack))
        stack.callback(self.front.stop)
        self.worker = Worker(self.service, self._outbox(), self._scheduler(policy), self._batch_wait(policy))
        stack.callback(self.worker.stop)

    def _open(self, stack: ExitStack) -> Any:
        import zenoh

        config, routers = self.config, endpoints(self.config.connect) if self.config.connect else []
        require_safe([*self.places, *routers], config.insecure, "--insecure")
        if not self.places and not routers:
            raise ConfigError("nobody can reach this server", "it neither listens nor joins a router", "--listen …")
        mode = "client" if routers else "peer"
        found = settings(mode, listen=self.places, connect=routers, security=security_of(config), retry=bool(routers))  # type: ignore[arg-type]
        try:
            session = open_session(found)
        except zenoh.ZError as error:
            where = ", ".join(self.places or routers)
            raise InferenceError(
                f"cannot use {where}", str(error).split(" at /")[0][:200], "another --listen, if something else has it"
            ) from error
        stack.callback(session.close)
        return session

    def _health(self, stack: ExitStack) -> Health | None:
        if not self.config.health_port:
            return None
        health = Health(self.service, self.config.health_port)
        health.start()
        stack.callback(health.close)
        return health

    def _outbox(self) -> Any:
        if self.config.capture is None:
            return self.front.send
        from .capture import Capture

        self.service.keep_bodies = True
        capture = Capture(Path(self.config.capture), self.config.capture_max, self.front.send)
        return capture.send

    def _scheduler(self, policy: Policy) -> Scheduler:
        if self.config.batch > 1 and not (isinstance(policy, Batched) and policy.stateless):
            raise ConfigError("--batch: this policy computes one request at a time", "", "leave --batch out")
        return MicroBatch(self.config.batch) if self.config.batch > 1 else RoundRobin()

    def _batch_wait(self, policy: Policy) -> float:
        return self.config.batch_wait_ms / 1e3 if self.config.batch > 1 else 0.0

    # --- its life -----------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin to warm up; questions are answered from now on, but nobody is invited."""
        self.front.start()
        self.worker.start(self.config.warmup)

    def wait_warm(self, asked: threading.Event) -> bool:
        """False when a signal came first.

        Raises:
            UserError: the warm-up failed.
        """
        while not self.worker.warm.is_set():
            if self.clock.wait(asked, self.clock.now() + 0.05):
                return False
        if self.worker.error is not None:
            raise self.worker.error
        return True

    def announce(self) -> None:
        """Robots may come."""
        self.front.announce()
        if self.health is not None:
            self.health.ready = True
        where = ", ".join(self.places or [self.config.connect])
        sharing = (
            f"up to {self.service.capacity} robots" if self.service.shared else "one robot, the policy keeps state"
        )
        log.info("serving %s at %s, %s (replica %s)", self.service.model, where, sharing, self.service.replica)

    def watch(self, asked: threading.Event) -> None:
        """Until a signal, or until the policy's thread ends."""
        while not self.clock.wait(asked, self.clock.now() + SWEEP_S) and not self.worker.ended.is_set():
            self.front.sweep()

    def drain(self) -> None:
        """Withdraw the announcement, then wait for what was asked before it."""
        self.front.withdraw()
        log.info("draining")
        until = self.clock.now() + self.config.drain_s
        while (self.service.ready() or self.worker.busy) and self.clock.now() < until:
            self.clock.sleep_until(self.clock.now() + 0.01)
        self.worker.stop()
        self.clock.wait(self.worker.ended, until if until > self.clock.now() else self.clock.now() + 0.1)

    def summary(self) -> dict[str, Any]:
        """For `--json`."""
        from .health import report

        return {"verb": "serve", "outcome": "stopped", **report(self.service)}
