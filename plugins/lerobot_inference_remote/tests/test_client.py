"""The client against a real server on loopback: what it asks, what it does when nobody answers."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from lerobot_core.config.bases import Chosen
from lerobot_core.errors import ConfigError, InferenceError
from lerobot_core.fakes.config import FakePolicyConfig
from lerobot_core.specs import PolicySpec
from lerobot_core.types import Feature
from lerobot_inference_remote.engine import LinkState
from lerobot_inference_remote.trouble import Refused, Trouble
from lerobot_server.fake_robot import Robot
from lerobot_server.fakes import JOINTS, StubPolicy, serving


def robot(port: int, policy: Any, **options: Any) -> Robot:
    needs = options.pop("needs", policy.needs)
    return Robot(needs, options.pop("gives", policy.gives), connect=f"tcp/127.0.0.1:{port}", **options)


def test_it_executes_what_the_server_computed_for_it(port: int) -> None:
    policy = StubPolicy({"front": (24, 32)})
    with serving(policy, port), robot(port, policy) as left:
        left.pose = 7.0
        timed = left.first()
        assert timed.action["joint_3.pos"] == 7.0 + timed.step
        assert left.engine.link_state is LinkState.STREAMING
        assert left.engine.state == "ready"
        assert policy.seen[-1]["front"].shape == (24, 32, 3)


def test_names_rate_and_size_come_from_the_server(port: int) -> None:
    policy = StubPolicy({"front": (24, 32)}, chunk_size=20)
    with serving(policy, port):
        left = robot(port, policy)
        met = left.engine.meet(left.meeting)
        try:
            assert (met.needs, met.gives, met.fps) == (policy.needs, policy.gives, 30.0)
        finally:
            left.engine.stop()


def test_rows_say_session_seq_and_episode(port: int, tmp_path: Any) -> None:
    import json

    policy = StubPolicy()
    audit = tmp_path / "audit.jsonl"
    with serving(policy, port, audit_log=audit), robot(port, policy) as left:
        left.first()
        left.engine.reset()
        timed = left.first()
        _, session, episode = timed.origin.replace("/", ":").split(":")
    lines = [json.loads(line) for line in audit.read_text().splitlines()]
    asked = [line for line in lines if line["event"] == "request"]
    mine = [line for line in asked if line["seq"] == timed.seq]
    assert [(line["session"], str(line["episode"]), line["outcome"]) for line in mine] == [(session, episode, "chunk")]
    assert episode == "1"
    assert [line["event"] for line in lines if line["event"] != "request"] == ["open", "close"]


def test_one_request_is_in_flight(port: int) -> None:
    policy = StubPolicy(latency_s=0.1)
    with serving(policy, port), robot(port, policy) as left:
        left.first()
        for _ in range(40):
            left.take()
        assert policy.seen[-1] is not None
        remote = left.engine.stats()["remote"]
        assert remote["superseded"] == 0
        assert left.engine.stats()["calls"] <= policy.calls <= left.engine.stats()["calls"] + 1


def test_buffer_time_says_when_to_ask(port: int) -> None:
    policy = StubPolicy(chunk_size=50)
    with serving(policy, port), robot(port, policy, buffer_time_s=0.2) as left:
        left.first()
        before = policy.calls
        left.until(lambda _: left.queue.depth() == 11)
        assert policy.calls == before
        left.until(lambda _: policy.calls == before + 1)
        assert left.engine.threshold() == 10


def test_a_late_answer_is_not_taken_for_another(port: int) -> None:
    """The first call is slow: its answer comes after the deadline, while the next one is asked."""
    policy = StubPolicy(latencies=[0.0, 0.0, 0.45, 0.12, 0.0])
    with serving(policy, port), robot(port, policy, request_timeout_s=0.3, buffer_time_s=10.0) as left:
        left.pose = 1.0
        left.until(lambda _: left.engine.stats()["remote"]["timeouts"] >= 1)
        left.pose = 100.0
        timed = left.until(lambda timed: timed is not None and timed.action["joint_0.pos"] >= 100.0)
        assert timed is not None
        assert left.engine.stats()["remote"]["dropped_messages"] >= 1


def test_nobody_there_is_said_before_anything_moves(port: int) -> None:
    left = robot(port, StubPolicy(), connect_timeout_s=0.3)
    with pytest.raises(Trouble, match="nobody answers") as failed:
        left.start()
    assert "lr serve" in str(failed.value)
    left.engine.stop()


def test_it_waits_for_a_server_that_comes_later(port: int) -> None:
    policy = StubPolicy()
    left = robot(port, policy, connect_timeout_s=20.0)
    waiting = threading.Thread(target=left.start)
    waiting.start()
    with serving(policy, port):
        waiting.join()
        assert left.engine.state == "ready"
        left.engine.stop()


def test_a_policy_that_fails_on_the_server_ends_the_run_with_its_words(port: int) -> None:
    policy = StubPolicy()
    with serving(policy, port), robot(port, policy) as left:
        left.first()
        policy.fault = RuntimeError("out of memory")
        left.engine.reset()
        left.until(lambda _: left.engine.state == "dead")
        assert "out of memory" in str(left.engine.error)


def test_an_action_that_is_no_number_ends_the_run(port: int) -> None:
    policy = StubPolicy()
    policy.poison = True
    with serving(policy, port), robot(port, policy) as left:
        left.until(lambda _: left.engine.state == "dead")
        assert "nan" in str(left.engine.error)


def chosen(**options: Any) -> Chosen:
    spec = PolicySpec(name="stub", summary="a stub", config=FakePolicyConfig, build=lambda config, parts: None)
    return Chosen("policy", "stub", spec, FakePolicyConfig(**options))


def test_a_named_policy_is_compared_by_hash(port: int) -> None:
    import dataclasses

    policy = StubPolicy()
    with serving(policy, port):
        for named, right in ((chosen(), True), (chosen(chunk_size=3), False)):
            left = robot(port, policy)
            left.meeting = dataclasses.replace(left.meeting, policy=named)
            try:
                if right:
                    left.start().first()
                else:
                    with pytest.raises(Refused, match="checkpoint"):
                        left.start()
            finally:
                left.engine.stop()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"gives": {key: JOINTS[key] for key in list(JOINTS)[1:]}}, "joint_0.pos"),
        ({"gives": {**JOINTS, "joint_0.pos": Feature("float32", (), "rad")}}, "rad"),
        ({"needs": dict(JOINTS)}, "front"),
        ({"needs": {**JOINTS, "front": Feature("uint8", (8, 8, 3))}}, "8x8"),
        ({"needs": {"front": Feature("uint8", (24, 32, 3))}}, "joint_5.pos"),
    ],
)
def test_what_does_not_fit_is_refused_with_a_reason(port: int, change: dict[str, Any], says: str) -> None:
    policy = StubPolicy({"front": (24, 32)})
    with serving(policy, port):
        left = robot(port, policy, **change)
        with pytest.raises(Refused, match="features") as refused:
            left.start()
        assert says in str(refused.value)
        left.engine.stop()


def test_the_order_of_names_does_not_matter(port: int) -> None:
    policy = StubPolicy()
    back = dict(reversed(JOINTS.items()))
    with serving(policy, port), robot(port, policy, needs=back, gives=back) as left:
        timed = left.first()
        assert list(timed.action) == list(back)


def test_names_can_be_mapped(port: int) -> None:
    import dataclasses

    policy = StubPolicy({"front": (24, 32)})
    mine = {key.replace("joint", "axis"): each for key, each in policy.needs.items()} | {"cam": policy.needs["front"]}
    del mine["front"]
    gives = {key: each for key, each in mine.items() if key != "cam"}
    rename = {key: key.replace("axis", "joint") for key in gives} | {"cam": "front"}
    with serving(policy, port):
        left = robot(port, policy, needs=mine, gives=gives)
        left.meeting = dataclasses.replace(left.meeting, rename=rename)
        with left:
            assert set(left.first().action) == set(gives)


@pytest.mark.parametrize("fallback", ["hold", "repeat_last"])
def test_what_happens_with_an_empty_queue(port: int, fallback: str) -> None:
    policy = StubPolicy(chunk_size=5)
    with serving(policy, port):
        left = robot(port, policy, fallback=fallback, request_timeout_s=0.2)
        with left:
            last = left.first()
            policy.latencies = [1.0]
            left.until(lambda timed: left.queue.depth() == 0 and (timed is None or timed.origin.startswith("fallback")))
            timed = left.engine.next_action(left.clock.now())
            if fallback == "hold":
                assert timed is None
            else:
                assert timed is not None
                assert timed.origin == "fallback:repeat_last"
                assert timed.seq >= last.seq


def test_zero_is_for_velocities_only(port: int) -> None:
    policy = StubPolicy()
    with serving(policy, port):
        left = robot(port, policy, fallback="zero")
        with pytest.raises(ConfigError, match=r"drive joint_0\.pos to 0"):
            left.start()
        left.engine.stop()


def test_zero_stops_a_velocity(port: int) -> None:
    wheels = {f"wheel_{i}.vel": Feature("float32", (), "", -1.0, 1.0) for i in range(2)}
    policy = StubPolicy(chunk_size=5, features=wheels)
    with serving(policy, port), robot(port, policy, fallback="zero") as left:
        left.pose = 0.5
        left.first()
        policy.latencies = [1.0]
        timed = left.until(lambda timed: timed is not None and timed.origin == "fallback:zero")
        assert timed is not None
        assert timed.action == dict.fromkeys(wheels, 0.0)


def test_a_full_queue_of_misses_doubles_the_wait() -> None:
    from lerobot_inference_remote.pace import Patience

    patience = Patience(5.0)
    assert patience.deadline_s == 5.0
    patience.answered(0.1)
    waits = []
    for _ in range(6):
        waits.append(round(patience.deadline_s, 6))
        patience.missed()
    assert waits == [0.8, 1.6, 3.2, 5.0, 5.0, 5.0]
    patience.answered(2.0)
    assert patience.deadline_s == 5.0


def test_off_this_machine_without_tls_is_refused() -> None:
    left = Robot(JOINTS, JOINTS, connect="tcp/192.0.2.1:7447")
    with pytest.raises(ConfigError, match="without TLS"):
        left.start()
    with pytest.raises(ConfigError, match="no endpoint"):
        Robot(JOINTS, JOINTS, connect="192.0.2.1").start()


def test_which_model_is_asked_when_there_are_two(port: int) -> None:
    policy = StubPolicy()
    with serving(policy, port, model="a"):
        from lerobot_core.errors import UserError
        from lerobot_server.fakes import free_port

        second = free_port()
        with serving(StubPolicy(), second, model="b", connect=f"tcp/127.0.0.1:{port}"):
            left = robot(port, policy)
            with pytest.raises(UserError, match="which model"):
                left.start()
            left.engine.stop()
            with robot(port, policy, model="b") as right:
                right.first()
                assert right.engine.stats()["remote"]["model"] == "b"


def test_errors_are_of_the_family() -> None:
    assert issubclass(Trouble, InferenceError)
    assert issubclass(Refused, InferenceError)
