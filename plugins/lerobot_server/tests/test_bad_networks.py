"""A server in a network namespace, behind delay, loss and reordering."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from bad_network import THERE
from lerobot_core.clock import RealClock
from lerobot_core.fakes.config import FakePolicyConfig
from lerobot_core.fakes.policy import FakePolicy
from lerobot_server.fake_robot import Robot
from processes import LR, Process

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.geteuid() != 0 or not Path("/dev/net/tun").exists(), reason="needs root and /dev/net/tun"),
]
CAMERA = ("front",)


@contextmanager
def network(delay_ms: float, jitter_ms: float, loss: float, reorder: float) -> Iterator[str]:
    """The namespace's name."""
    name = f"lr{os.getpid()}"
    script = str(Path(__file__).with_name("bad_network.py"))
    words = [sys.executable, script, name, *map(str, (delay_ms, jitter_ms, loss, reorder))]
    child = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    try:
        assert child.stdout.readline() == "forwarding\n"
        yield name
    finally:
        child.communicate(timeout=30)


@contextmanager
def server(name: str, log: Path) -> Iterator[Process]:
    words = ["--listen", f"tcp/{THERE}:7447", "--insecure", "--health-port", "0", "--policy.cameras", '["front"]']
    found = Process(["ip", "netns", "exec", name, *LR, "serve", "--policy", "fake", *words], log)
    try:
        found.wait_for("serving")
        yield found
    finally:
        found.end()


@pytest.mark.parametrize(
    ("delay_ms", "jitter_ms", "loss", "reorder"),
    [(20.0, 0.0, 0.0, 0.0), (25.0, 10.0, 0.0, 0.05), (25.0, 5.0, 0.02, 0.0), (60.0, 20.0, 0.03, 0.05)],
)
def test_a_robot_keeps_moving(tmp_path: Path, delay_ms: float, jitter_ms: float, loss: float, reorder: float) -> None:
    policy = FakePolicy(FakePolicyConfig(cameras=CAMERA), RealClock())
    with network(delay_ms, jitter_ms, loss, reorder) as name, server(name, tmp_path / "log"):
        left = Robot(policy.needs, policy.gives, connect=f"tcp/{THERE}:7447", insecure=True, connect_timeout_s=30.0)
        with left:
            left.first()
            taken = left.run(10.0)
            found = left.engine.stats()
    moved = sum(timed is not None for timed in taken) / len(taken)
    print(f"moved {moved:.3f}, {found}")
    assert left.engine.state != "dead"
    assert found["remote"]["round_trip_ms"]["p50"] >= 2 * (delay_ms - jitter_ms)
    assert moved > 0.8
    steps = [(timed.seq, timed.step) for timed in taken if timed is not None]
    assert steps == sorted(steps)
