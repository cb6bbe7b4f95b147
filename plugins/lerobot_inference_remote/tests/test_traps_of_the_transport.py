"""What Zenoh does that nobody expects; each of these once cost somebody a day."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from lerobot_core.errors import ConfigError
from lerobot_inference_remote import transport
from lerobot_inference_remote.transport import endpoints, is_loopback, open_session, settings
from lerobot_server.fake_robot import Robot
from lerobot_server.fakes import StubPolicy, serving

EXIT_S = 60


def run(script: str, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", script, *words], capture_output=True, text=True, timeout=EXIT_S)


def test_shared_memory_is_off(port: int) -> None:
    """It is on by default, leaves 16 MiB files in /dev/shm after a kill, and loses payloads when a receiver stalls."""
    before = {*Path("/dev/shm").glob("*.zenoh")}
    policy = StubPolicy({"front": (480, 640)})
    with (
        serving(policy, port),
        Robot(policy.needs, policy.gives, connect=f"tcp/127.0.0.1:{port}", jpeg_quality=0) as left,
    ):
        left.first()
        assert {*Path("/dev/shm").glob("*.zenoh")} == before
    assert settings("client")["transport/shared_memory/enabled"] is False


def test_multicast_is_off_and_every_side_announces_a_short_lease() -> None:
    for mode in ("client", "peer", "router"):
        found = settings(mode)  # type: ignore[arg-type]
        assert found["scouting/multicast/enabled"] is False
        assert found["transport/link/tx/lease"] == 2000
        assert found["transport/link/rx/max_message_size"] <= 64 << 20


HANG = """
import sys
from lerobot_server.fake_robot import Robot
from lerobot_server.fakes import JOINTS
robot = Robot(JOINTS, JOINTS, connect=f"tcp/127.0.0.1:{sys.argv[1]}").start()
robot.first()
print("up", flush=True)
raise RuntimeError("nobody catches this, and nobody closes the session")
"""


def test_a_process_that_never_closed_its_session_still_ends(port: int) -> None:
    policy = StubPolicy()
    with serving(policy, port):
        done = run(HANG, str(port))
    assert done.stdout == "up\n"
    assert done.returncode == 1
    assert "nobody catches this" in done.stderr


def test_a_server_that_fails_to_start_ends(port: int) -> None:
    words = ["serve", "--policy", "fake", "--policy.fault", "raise", "--listen", f"tcp/127.0.0.1:{port}", "--health-port", "0", "--policy.chunk-size", "1"]  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-m", "lerobot_core", *words], capture_output=True, text=True, timeout=EXIT_S
    )
    assert done.returncode == 1
    assert "no chunks" in done.stderr


FORK = """
import os, sys
from lerobot_core.errors import InferenceError
from lerobot_core.errors import ConfigError
from lerobot_inference_remote.transport import open_session, settings
session = open_session(settings("peer", listen=[f"tcp/127.0.0.1:{sys.argv[1]}"]))
child = os.fork()
if child == 0:
    try:
        open_session(settings("client", connect=[f"tcp/127.0.0.1:{sys.argv[1]}"]))
    except InferenceError as error:
        print(error, flush=True)
        os._exit(7)
    os._exit(0)
_, status = os.waitpid(child, 0)
session.close()
sys.exit(os.waitstatus_to_exitcode(status))
"""


def test_a_forked_child_is_refused_where_it_would_hang(port: int) -> None:
    done = run(FORK, str(port))
    assert done.returncode == 7, done.stderr
    assert "forked" in done.stdout
    assert "spawn" in done.stdout


def test_opening_before_a_fork_does_not_forbid_the_parent(port: int) -> None:
    session = open_session(settings("peer", listen=[f"tcp/127.0.0.1:{port}"]))
    session.close()  # type: ignore[no-untyped-call]
    assert os.getpid() in transport._opened_in
    transport.refuse_fork()


def test_undeclaring_while_a_thread_reads_is_quiet(port: int) -> None:
    """`undeclare` while another thread is in `subscriber.recv()` raises "Already borrowed"; threads wait on its handler."""
    policy = StubPolicy()
    with serving(policy, port):
        for _ in range(5):
            with Robot(policy.needs, policy.gives, connect=f"tcp/127.0.0.1:{port}") as left:
                left.first()


@pytest.mark.parametrize(
    ("text", "inside"),
    [
        ("tcp/127.0.0.1:7447", True),
        ("tcp/localhost:7447", True),
        ("tcp/[::1]:7447", True),
        ("tcp/127.0.0.1:7447#so_sndbuf=65000", True),
        ("unixsock-stream//tmp/x", True),
        ("tcp/0.0.0.0:7447", False),
        ("tls/gpu.lab:7447", False),
        ("tcp/localhost.evil.example:7447", False),
    ],
)
def test_what_leaves_this_machine(text: str, inside: bool) -> None:
    assert is_loopback(endpoints(text)[0]) is inside


@pytest.mark.parametrize("text", ["tcp/localhost:99999", "tcp/localhost", "tls/a:7447,tcp/b:x"])
def test_a_port_is_a_port(text: str) -> None:
    """Zenoh would listen at another one and say nothing."""
    with pytest.raises(ConfigError, match="has no port"):
        endpoints(text)
