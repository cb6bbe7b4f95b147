"""`lr serve`, `lr router` and clients as processes of their own: to be killed, frozen and looked at from outside."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lerobot_core.clock import RealClock
from lerobot_server.fakes import free_port

LR = [sys.executable, "-m", "lerobot_core"]
PATIENCE_S = 60.0


class Process:
    """Its output goes to a file, so it never blocks on a pipe."""

    def __init__(self, words: list[str], log: Path, env: dict[str, str] | None = None) -> None:
        self.log = log
        self._out = log.open("ab")
        self.child = subprocess.Popen(
            words, stdout=self._out, stderr=subprocess.STDOUT, env={**os.environ, **(env or {})}
        )

    def text(self) -> str:
        return self.log.read_text(errors="replace")

    def wait_for(self, words: str) -> None:
        clock = RealClock()
        until = clock.now() + PATIENCE_S
        while words not in self.text():
            assert self.child.poll() is None, f"ended: {self.text()}"
            assert clock.now() < until, f"never said {words!r}: {self.text()}"
            clock.sleep_until(clock.now() + 0.02)

    def send(self, number: int) -> None:
        self.child.send_signal(number)

    def end(self, number: int = signal.SIGTERM) -> int:
        if self.child.poll() is None:
            self.send(signal.SIGCONT)
            self.send(number)
        code = self.child.wait(PATIENCE_S)
        self._out.close()
        return code


@contextmanager
def serve(log: Path, *words: str, port: int | None = None, policy: str = "fake") -> Iterator[Process]:
    """A warm server."""
    where = ["--listen", f"tcp/127.0.0.1:{port}"] if port else []
    found = Process([*LR, "serve", "--policy", policy, *where, "--health-port", "0", *words], log)
    try:
        found.wait_for("serving")
        yield found
    finally:
        found.end()


@contextmanager
def router(log: Path, port: int, *words: str) -> Iterator[Process]:
    """A router."""
    listen = [] if "--listen" in words else ["--listen", f"tcp/127.0.0.1:{port}"]
    found = Process([*LR, "router", *listen, *words], log)
    try:
        found.wait_for("routing")
        yield found
    finally:
        found.end()


def get(port: int, path: str) -> tuple[int, bytes]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


def status(port: int) -> Any:
    return json.loads(get(port, "/status")[1])


__all__ = ["LR", "Process", "free_port", "get", "router", "serve", "status"]
