"""What breaks: servers, routers, clients, the way between them. The arm holds or goes on; the loop is never late for it."""

from __future__ import annotations

import signal
import statistics
import threading
from pathlib import Path
from typing import Any

import pytest
from lerobot_core.clock import RealClock
from lerobot_core.fakes.config import FakePolicyConfig
from lerobot_core.fakes.policy import FakePolicy
from lerobot_inference_remote.engine import LinkState
from lerobot_inference_remote.trouble import Refused, Trouble
from lerobot_server.fake_robot import Robot
from lerobot_server.fakes import StubPolicy, free_port, serving
from processes import router, serve, status

FAKE = FakePolicy(FakePolicyConfig(), RealClock())


def robot(port: int, policy: Any = FAKE, name: str = "left", **options: Any) -> Robot:
    where = options.pop("connect", f"tcp/127.0.0.1:{port}")
    return Robot(policy.needs, policy.gives, name, connect=where, **options)


def test_a_server_killed_and_restarted_mid_episode(port: int, tmp_path: Path) -> None:
    """Queued actions go on, then the arm holds, then a new session; the loop is as punctual as before."""
    states = set()
    with serve(tmp_path / "first", port=port) as first, robot(port) as left:
        left.first()
        left.run(1.0)
        calm = statistics.median(left.lateness)
        left.lateness.clear()
        first.end(signal.SIGKILL)
        left.until(lambda _: states.add(left.engine.link_state) is None and LinkState.RECONNECTING in states)
        left.until(lambda timed: timed is None)
        assert left.engine.state == "stalled"
        with serve(tmp_path / "second", port=port):
            timed = left.until(lambda timed: timed is not None)
            assert timed is not None
            assert timed.origin.endswith("/0")
            assert left.engine.state == "ready"
            assert left.engine.stats()["remote"]["reconnects"] == 1
            # A busy machine makes any thread late now and then; a loop that waited for the network always would be.
            assert statistics.median(left.lateness) < calm + 0.005


def test_a_server_that_hangs_but_stays_connected(port: int, tmp_path: Path) -> None:
    """Frozen: the connection stands for a lease of two seconds, the deadline of the request is earlier."""
    with serve(tmp_path / "log", port=port) as server, robot(port, request_timeout_s=1.0) as left:
        left.first()
        left.run(0.5)
        server.send(signal.SIGSTOP)
        left.until(lambda timed: timed is None)
        assert left.engine.state == "stalled"
        server.send(signal.SIGCONT)
        left.until(lambda timed: timed is not None)
        left.until(lambda _: left.engine.state == "ready")


def test_a_policy_that_hangs_is_stalled_not_gone(port: int) -> None:
    policy = StubPolicy(chunk_size=50)
    with serving(policy, port), robot(port, policy, request_timeout_s=0.3, buffer_time_s=0.7) as left:
        left.first()
        policy.latencies = [1.5]
        left.until(lambda _: left.engine.link_state is LinkState.DEGRADED)
        left.until(lambda _: left.engine.link_state is LinkState.STALLED)
        policy.latencies = [0.0]
        left.until(lambda _: left.engine.link_state is LinkState.STREAMING)
        assert left.engine.stats()["remote"]["timeouts"] >= 1


def test_a_router_killed_and_restarted(tmp_path: Path) -> None:
    port = free_port()
    where = f"tcp/127.0.0.1:{port}"
    with router(tmp_path / "r1", port) as first, serve(tmp_path / "s", "--connect", where), robot(port) as left:
        left.first()
        first.end(signal.SIGKILL)
        left.until(lambda _: left.engine.link_state is LinkState.RECONNECTING)
        with router(tmp_path / "r2", port):
            left.until(lambda _: left.engine.state == "ready")
            left.engine.reset()
            left.first()


def test_a_second_router_takes_over(tmp_path: Path) -> None:
    """Both are listed; nothing is missed that the queue does not cover."""
    one, two = free_port(), free_port()
    both = f"tcp/127.0.0.1:{one},tcp/127.0.0.1:{two}"
    with (
        router(tmp_path / "r1", one) as first,
        router(tmp_path / "r2", two, "--connect", f"tcp/127.0.0.1:{one}"),
        serve(tmp_path / "s", "--connect", f"tcp/127.0.0.1:{two}"),
        robot(one, connect=both) as left,
    ):
        left.first()
        left.run(0.5)
        first.end(signal.SIGKILL)
        taken = left.run(3.0)
        assert left.engine.stats()["remote"]["reconnects"] >= 1
        assert left.engine.state == "ready"
        assert sum(timed is None for timed in taken) <= len(taken) // 3


def test_another_model_on_reconnect_ends_the_run(port: int) -> None:
    policy = StubPolicy()
    with serving(policy, port):
        left = robot(port, policy).start()
        left.first()
    other = StubPolicy(chunk_size=20)
    with serving(other, port):
        try:
            left.until(lambda _: left.engine.state == "dead")
            assert isinstance(left.engine.error, Refused)
            assert "another model" in str(left.engine.error)
            assert other.calls == 0
        finally:
            left.engine.stop()


def test_offline_for_too_long_ends_the_run(port: int) -> None:
    policy = StubPolicy()
    with serving(policy, port):
        left = robot(port, policy, max_offline_s=1.0).start()
        left.first()
    try:
        left.until(lambda _: left.engine.state == "dead")
        assert "no answer for 1 s" in str(left.engine.error)
    finally:
        left.engine.stop()


def test_a_full_server_lets_robots_in_when_there_is_room(port: int) -> None:
    policy = StubPolicy()
    with serving(policy, port, max_robots=1), robot(port, policy, "first") as first:
        first.first()
        late = robot(port, policy, "late", connect_timeout_s=0.3)
        with pytest.raises(Trouble, match="full"):
            late.start()
        late.engine.stop()
        waiting = robot(port, policy, "waiting", connect_timeout_s=20.0)
        thread = threading.Thread(target=waiting.start)
        thread.start()
        first.engine.stop()
        thread.join()
        waiting.first()
        waiting.engine.stop()


def test_a_full_replica_sends_robots_to_the_next(tmp_path: Path) -> None:
    """Zenoh itself asks the same replica every time; the client asks the emptiest, and the next when that refuses."""
    port = free_port()
    where = f"tcp/127.0.0.1:{port}"
    first, second = StubPolicy(), StubPolicy()
    with (
        router(tmp_path / "r", port),
        serving(first, 0, connect=where, max_robots=2) as one,
        serving(second, 0, connect=where, max_robots=2) as two,
    ):
        robots = [robot(port, first, f"r{i}").start() for i in range(4)]
        for each in robots:
            each.first()
        assert len(one.service.sessions) == len(two.service.sessions) == 2
        fifth = robot(port, first, "fifth", connect_timeout_s=0.3)
        with pytest.raises(Trouble, match="full"):
            fifth.start()
        for each in [*robots, fifth]:
            each.engine.stop()


def test_a_killed_client_is_forgotten_at_once(port: int, tmp_path: Path) -> None:
    import sys

    from processes import Process

    policy = StubPolicy()
    script = (
        "import sys; from lerobot_server.fake_robot import Robot; from lerobot_server.fakes import JOINTS; "
        f"r = Robot(JOINTS, JOINTS, 'left', connect='tcp/127.0.0.1:{port}').start(); r.first(); print('up', flush=True); "
        "r.run(1000)"
    )
    with serving(policy, port) as server:
        client = Process([sys.executable, "-c", script], tmp_path / "client")
        client.wait_for("up")
        assert [each.robot for each in server.service.sessions] == ["left"]
        client.end(signal.SIGKILL)
        clock = RealClock()
        until = clock.now() + 10.0
        while server.service.sessions and clock.now() < until:
            clock.sleep_until(clock.now() + 0.01)
        assert not server.service.sessions
        with robot(port, policy) as left:
            left.first()


def test_two_clients_with_one_name(port: int) -> None:
    """The second process is refused and told what to do; the first goes on. Its token does not hide behind the other's."""
    policy = StubPolicy()
    with serving(policy, port) as server, robot(port, policy) as first:
        first.first()
        second = robot(port, policy, connect_timeout_s=0.3)
        with pytest.raises(Trouble, match="robot in use") as refused:
            second.start()
        assert "--robot.id" in str(refused.value)
        second.engine.stop()
        calls = policy.calls
        first.until(lambda _: policy.calls > calls + 1)
        assert len(server.service.sessions) == 1


def test_a_drain_finishes_what_was_asked(port: int) -> None:
    """The token goes first, the answer still comes, and nobody new gets in."""
    policy = StubPolicy(latencies=[0.4])
    with serving(policy, port) as server, robot(port, policy, buffer_time_s=10.0) as left:
        left.until(lambda _: policy.calls == 3)
        calls = left.engine.stats()["calls"]
        draining = threading.Thread(target=server.drain)
        draining.start()
        left.until(lambda _: left.engine.stats()["calls"] == calls + 1)
        assert left.engine.stats()["remote"]["timeouts"] == 0
        left.until(lambda _: left.engine.link_state is LinkState.RECONNECTING)
        draining.join()


def test_sigterm_drains(port: int, tmp_path: Path) -> None:
    with serve(tmp_path / "log", "--policy.latency-s", "0.3", port=port) as server, robot(port) as left:
        left.first()
        assert server.end(signal.SIGTERM) == 0
        assert "draining" in server.text()


def test_jumps_of_the_wall_clock_change_nothing(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both sides measure durations; `time.time` may say anything."""
    import itertools
    import time

    jumps = itertools.cycle([0.0, 4e9, -4e9, 86400.0])
    real = time.time
    policy = StubPolicy()
    with serving(policy, port), robot(port, policy) as left:
        monkeypatch.setattr(time, "time", lambda: real() + next(jumps))
        left.first()
        left.run(0.5)
        monkeypatch.undo()
        assert left.engine.stats()["errors"] == 0
        assert all(0.0 <= left.clock.now() - obs.time < 10.0 for obs in policy.seen if obs.time)


def test_two_robots_share_a_server_and_get_their_own_answers(port: int) -> None:
    policy = StubPolicy(latency_s=0.01)
    with serving(policy, port), robot(port, policy, "a") as one, robot(port, policy, "b") as two:
        one.pose, two.pose = 10.0, 1000.0
        threads = [threading.Thread(target=each.run, args=(1.5,)) for each in (one, two)]
        taken: dict[str, Any] = {}

        def watch(each: Robot, name: str) -> None:
            taken[name] = [timed.action["joint_0.pos"] for timed in each.run(1.5) if timed is not None]

        threads = [threading.Thread(target=watch, args=pair) for pair in ((one, "a"), (two, "b"))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert taken["a"]
    assert taken["b"]
    assert max(taken["a"]) < 100.0
    assert min(taken["b"]) >= 1000.0


def test_health_and_metrics(tmp_path: Path) -> None:
    from processes import get

    port, health = free_port(), free_port()
    policy = StubPolicy()
    with serving(policy, port, health_port=health), robot(port, policy) as left:
        left.first()
        assert get(health, "/healthz") == (200, b"ok\n")
        assert b"lerobot_serve_answers_total" in get(health, "/metrics")[1]
        found = status(health)
        assert [each["robot"] for each in found["robots"]] == ["left"]
        assert found["latency_ms"]["infer"]["p50"] >= 0
        assert get(health, "/")[0] == 404
