"""`org/name`: out of the Hub's cache without a network, and what is said when it is not to be had."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import huggingface_hub.constants
import pytest
from lerobot_core.errors import ConfigError, InferenceError
from lerobot_core.registry import Registry
from lerobot_torch.hub import fetch
from tiny_policy import tiny

COMMIT = "0123456789abcdef0123456789abcdef01234567"
ANSWERS = {"gone": (404, "RepoNotFound"), "closed": (403, "")}


class Refusing(BaseHTTPRequestHandler):
    """A Hub that has nothing for anybody; the repository's name says why."""

    def do_GET(self) -> None:
        """Any question."""
        status, code = next(answer for name, answer in ANSWERS.items() if name in self.path)
        self.send_response(status)
        if code:
            self.send_header("X-Error-Code", code)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_HEAD = do_GET

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Refusing)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", f"http://127.0.0.1:{server.server_port}")
    yield
    server.shutdown()
    server.server_close()


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The cache a Hub client keeps, with nothing in it."""
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    return tmp_path


@pytest.fixture
def offline(cache: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """That cache, and no network."""
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    return cache


def test_a_checkpoint_of_the_hub_is_a_folder_in_its_cache(offline: Path) -> None:
    kept = offline / "models--lab--cube"
    tiny().save(kept / "snapshots" / COMMIT)
    (kept / "refs").mkdir()
    (kept / "refs" / "main").write_text(COMMIT)
    found = Registry().resolve("policy", "lab/cube")
    assert found == {"type": "tiny", "path": str(kept / "snapshots" / COMMIT)}


def test_without_a_network_and_not_in_the_cache(offline: Path) -> None:
    with pytest.raises(InferenceError, match="lab/other cannot be fetched"):
        Registry().resolve("policy", "lab/other")


def test_a_repository_that_does_not_exist(cache: Path, hub: None) -> None:
    with pytest.raises(ConfigError, match="no checkpoint lab/gone"):
        fetch("lab/gone")


def test_a_repository_that_is_closed(cache: Path, hub: None) -> None:
    with pytest.raises(InferenceError, match="lab/closed cannot be fetched"):
        fetch("lab/closed")


def test_the_scheme_has_nothing_to_say_about_other_kinds() -> None:
    from lerobot_torch.plugin import resolve

    assert resolve("robot", "lab/cube") is None
