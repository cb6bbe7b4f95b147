"""A bounded record of requests and answers, to be computed again: byte for byte what came and what went."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
from lerobot_core.errors import ConfigError
from lerobot_inference_remote.wire.bodies import ObservationBody, RefusalBody, decode, encode
from lerobot_inference_remote.wire.header import Header

from .sessions import Job, Session

log = logging.getLogger("lerobot.serve")
SUFFIX = ".msgpack"


class Captured(msgspec.Struct):
    """One request with its answer; `header` as it was on the wire."""

    robot: str
    states: list[str]
    cameras: dict[str, tuple[int, int, int]]
    header: bytes
    request: bytes
    answer: bytes


class Capture:
    """Keeps the newest `most` of them, one file each; the oldest is removed first.

    Args:
        send: where answers go.

    Raises:
        ConfigError: the folder cannot be written.
    """

    def __init__(self, folder: Path, most: int, send: Callable[[Session, Header, Any], None]) -> None:
        self._folder, self._most, self._send = folder, most, send
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._kept = deque(sorted(folder.glob(f"*{SUFFIX}")))
        except OSError as error:
            raise ConfigError(f"--capture {folder} cannot be written", str(error)) from error
        self._count = int(self._kept[-1].stem) + 1 if self._kept else 0

    def send(self, session: Session, header: Header, body: Any, job: Job | None = None) -> None:
        """Pass the answer on, then keep it."""
        self._send(session, header, body)
        if job is None or job.raw is None or isinstance(body, RefusalBody):
            return
        found = Captured(
            session.robot, list(session.states), dict(session.cameras), job.header.pack(), job.raw, encode(body)
        )
        path = self._folder / f"{self._count:010d}{SUFFIX}"
        try:
            path.write_bytes(encode(found))
            self._kept.append(path)
            while len(self._kept) > self._most:
                self._kept.popleft().unlink(missing_ok=True)
        except OSError as error:
            log.warning("a request could not be kept: %s", error)
        self._count += 1


def read(path: Path) -> tuple[Captured, ObservationBody]:
    """What was kept, and its observation.

    Raises:
        WireError: it is no such file.
    """
    found = decode(path.read_bytes(), Captured, 1 << 30)
    return found, decode(found.request, ObservationBody, 1 << 30)
