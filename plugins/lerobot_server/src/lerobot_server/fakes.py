"""For tests and benchmarks: a policy of known latency, a server in this process, and a link without a network."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any, Literal

import numpy as np
from lerobot_core.clock import Clock, RealClock
from lerobot_core.config.bases import Chosen
from lerobot_core.fakes.config import FakePolicyConfig
from lerobot_core.specs import PolicySpec
from lerobot_core.types import ActionChunk, Feature, Features, Guide, Observation
from lerobot_inference_remote.trouble import Trouble
from lerobot_inference_remote.wire.bodies import encode
from lerobot_inference_remote.wire.handshake import OpenReply, OpenRequest, Status
from lerobot_inference_remote.wire.header import Header
from lerobot_inference_remote.wire.keys import RobotKeys, ServerKeys, segment

from .config import ServeConfig
from .main import Server
from .service import Service
from .sessions import Session

JOINTS: Features = {f"joint_{i}.pos": Feature("float32", (), "deg", -180.0, 180.0, 90.0) for i in range(6)}


class StubPolicy:
    """Step i of a chunk is the observed pose + i, so an answer tells whose it is.

    With guidance, the steps that a guide has are the guide's own.

    Args:
        cameras: name -> (height, width).
        latency_s: how long a call takes; `latencies` instead, one for each call, the last one for ever.

    Attributes:
        calls, resets: so far.
        batches: how many requests each call computed.
        fault: raised by the next calls.
    """

    ensemble: float | None = None
    fps: float | None = 30.0

    def __init__(
        self,
        cameras: dict[str, tuple[int, int]] = {},
        latency_s: float = 0.0,
        chunk_size: int = 50,
        stateless: bool = True,
        guidance: Literal["none", "guided", "trained"] = "none",
        clock: Clock | None = None,
        latencies: Sequence[float] = (),
        features: Features = JOINTS,
    ) -> None:
        self.gives: Features = dict(features)
        self.needs = {**self.gives, **{name: Feature("uint8", (*size, 3)) for name, size in cameras.items()}}
        self.chunk_size = self.n_action_steps = chunk_size
        self.guidance, self.stateless = guidance, stateless
        self.latencies = list(latencies) or [latency_s]
        self.calls = self.resets = 0
        self.batches: list[int] = []
        self.seen: list[Observation] = []
        self.guides: list[Guide | None] = []
        self.fault: Exception | None = None
        self.poison = False
        self._clock: Clock = clock or RealClock()

    def warmup(self) -> None:
        """Nothing is slow the first time."""

    def reset(self) -> None:
        """Counted."""
        self.resets += 1

    def close(self) -> None:
        """Nothing is held."""

    def predict_chunk(self, obs: Observation, task: str, guide: Guide | None = None) -> ActionChunk:
        """float32 (chunk_size, 6)."""
        self._spend()
        return self._chunk(obs, task, guide)

    def predict_chunks(self, observations: Sequence[Observation], tasks: Sequence[str]) -> list[ActionChunk]:
        """Together they take as long as one."""
        self._spend(len(observations))
        return [self._chunk(obs, task, None) for obs, task in zip(observations, tasks, strict=True)]

    def _spend(self, count: int = 1) -> None:
        latency = self.latencies[min(self.calls, len(self.latencies) - 1)]
        self.calls += 1
        self.batches.append(count)
        if self.fault is not None:
            raise self.fault
        if latency:
            self._clock.sleep_until(self._clock.now() + latency)

    def _chunk(self, obs: Observation, task: str, guide: Guide | None) -> ActionChunk:
        self.seen = [*self.seen[-99:], obs]
        self.guides = [*self.guides[-99:], guide]
        pose = np.array([float(obs[name]) for name in self.gives], np.float64)
        actions = (pose + np.arange(self.chunk_size)[:, None]).astype(np.float32)
        if guide is not None:
            order = [guide.names.index(name) for name in self.gives]
            actions[: len(guide.actions)] = guide.actions[:, order]
        if self.poison:
            actions[0, 0] = np.nan
        return ActionChunk(tuple(self.gives), actions, actions * 2, obs.time, task)


def free_port() -> int:
    """A port on this machine that nobody has at this moment."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def config_for(port: int, **options: Any) -> ServeConfig:
    """`lr serve` of a stub on a loopback port, without HTTP."""
    spec = PolicySpec(name="stub", summary="a stub", config=FakePolicyConfig, build=lambda config, parts: None)
    chosen = Chosen("policy", "stub", spec, FakePolicyConfig(), "")
    defaults = {"listen": f"tcp/127.0.0.1:{port}", "health_port": 0, "warmup": 1}
    return ServeConfig(policy=chosen, **{**defaults, **options})


@contextmanager
def serving(policy: Any, port: int, **options: Any) -> Iterator[Server]:
    """`lr serve` in this process: warm, announced, and drained in the end."""
    with ExitStack() as stack:
        server = Server(config_for(port, **options), policy, RealClock(), stack)
        server.start()
        server.wait_warm(threading.Event())
        server.announce()
        yield server
        server.drain()


class LocalLink:
    """A `Link` to a service in this process: every byte is made and read as on the wire, but there is no wire.

    It needs no thread of the server's: the policy runs in the asking one, so it works on a virtual clock.

    Args:
        delay: called before each answer is handed over; waits as long as a network would.
    """

    def __init__(self, service: Service, delay: Callable[[], None] = lambda: None) -> None:
        from .worker import Worker

        self.dropped = 0
        self.service, self._delay = service, delay
        self.session: Session | None = None
        self.cut = ""
        self._answer: tuple[Header, bytes] | None = None
        self._worker = Worker(service, self._deposit)

    def connect(self, until: float) -> None:
        """Nothing to reach."""

    def servers(self, model: str | None) -> list[ServerKeys]:
        """The one."""
        return [] if self.cut else [ServerKeys(segment(self.service.model), self.service.replica)]

    def status(self, server: ServerKeys) -> Status | None:
        """Its own words."""
        return self.service.status()

    def attach(self, keys: RobotKeys, nonce: str) -> None:
        """Nothing to declare."""

    def open(self, server: ServerKeys, request: OpenRequest) -> OpenReply | None:
        """Directly."""
        reply, self.session = self.service.open(request)
        return reply

    def watch(self, server: ServerKeys) -> None:
        """It cannot be lost, but for `cut`."""

    def lost(self) -> str:
        """What a test put there."""
        return self.cut

    def ask(self, header: Header, body: bytes, until: float) -> tuple[Header, bytes] | None:
        """Through the service's own ways in and out."""
        if self.cut or self.session is None:
            raise Trouble(self.cut or "no session", disconnected=True)
        self._answer = None
        at_once = self.service.receive(self.session, header.pack(), body)
        if at_once is not None:
            return at_once[0], b"" if at_once[1] is None else encode(at_once[1])
        self._worker.serve()
        self._delay()
        return self._answer

    def _deposit(self, session: Session, header: Header, body: Any, job: Any = None) -> None:
        self._answer = (header, encode(body))

    def abort(self) -> None:
        """Nothing waits."""

    def close(self) -> None:
        """Nothing is open."""
