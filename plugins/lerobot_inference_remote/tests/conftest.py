"""What the tests of the wire's two ends have in common."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture
def port() -> int:
    """A free one on this machine."""
    from lerobot_server.fakes import free_port

    return free_port()


@pytest.fixture(autouse=True)
def _no_session_is_left_open() -> Iterator[None]:
    """An open Zenoh session would hang or abort pytest when it ends; each has a thread of one of these names."""
    before = {*threading.enumerate()}
    yield
    until = time.monotonic() + 2.0
    while (left := _sessions() - before) and time.monotonic() < until:
        time.sleep(0.02)
    assert not left


def _sessions() -> set[threading.Thread]:
    return {each for each in threading.enumerate() if each.name.startswith(("remote-answers", "serve-control"))}
