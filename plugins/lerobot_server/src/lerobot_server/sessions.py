"""One robot's session, and the slot in which its newest observation waits."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lerobot_core.contracts.policy import Policy
from lerobot_core.types import Guide
from lerobot_inference_remote.wire.header import Header


@dataclass(frozen=True, slots=True)
class Job:
    """One observation, decoded.

    Attributes:
        header: repeated in the answer.
        seen: its values by policy key.
        age: seconds it was old when it was sent.
        came: when it arrived, by this machine's clock.
        decode_s: how long its pictures took.
        raw: the body as it came, kept while requests are captured.
    """

    header: Header
    seen: Mapping[str, Any]
    task: str
    age: float
    guide: Guide | None
    came: float
    decode_s: float
    raw: bytes | None = None


class Mailbox:
    """Latest only: a robot that asks again has no use for the answer to what it asked before."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._job: Job | None = None
        self.superseded = 0

    def put(self, job: Job) -> None:
        """Replace what waits."""
        with self._lock:
            self.superseded += self._job is not None
            self._job = job

    def take(self) -> Job | None:
        """What waits; afterwards nothing does."""
        with self._lock:
            job, self._job = self._job, None
        return job

    @property
    def waiting(self) -> Job | None:
        """What waits, left where it is."""
        return self._job


@dataclass(eq=False)
class Session:
    """What the server holds of one robot; nothing in it outlives the connection.

    Attributes:
        id: random, carried by every message.
        robot, nonce: who, and which process of it.
        policy: the shared one, or a view of it with processors of its own.
        states, cameras: what an observation has, in this order.
        limit: bytes of the largest observation.
        reset: the policy is to be reset before the next call.
        episode: of the last observation; -1 before the first.
        served: when it was served last, in calls; the scheduler's.
        heard: the last sign of life, by this machine's clock.
        seen: its liveliness token is there.
    """

    id: int
    robot: str
    nonce: str
    policy: Policy
    states: tuple[str, ...]
    cameras: Mapping[str, tuple[int, int, int]]
    limit: int
    heard: float
    opened: float = 0.0
    seen: bool = True
    probed: bool = False
    episode: int = -1
    served: int = 0
    answered: int = 0
    malformed: int = 0
    last_seq: int = -1
    mailbox: Mailbox = field(default_factory=Mailbox)
