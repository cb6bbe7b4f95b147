"""What the tests of server tests have in common."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # for `processes`


@pytest.fixture
def port() -> int:
    """A free one on this machine."""
    from lerobot_server.fakes import free_port

    return free_port()


@pytest.fixture(autouse=True)
def _no_session_is_left_open() -> Iterator[None]:
    """An open Zenoh session would hang pytest when it ends."""
    import threading

    yield
    left = [each.name for each in threading.enumerate() if each.name.startswith(("remote-answers", "serve-control"))]
    deadline = 50
    while left and deadline:
        threading.Event().wait(0.02)
        deadline -= 1
        left = [each.name for each in threading.enumerate() if each.name in left]
    assert not left
