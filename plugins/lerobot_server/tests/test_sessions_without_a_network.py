"""The server's rules, with a robot in the same process and no wire: who gets in, who is served, what is dropped."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from lerobot_core.clock import RealClock
from lerobot_core.errors import InferenceError
from lerobot_core.types import Feature
from lerobot_inference_remote.wire import tensors
from lerobot_inference_remote.wire.bodies import ObservationBody, RefusalBody, encode
from lerobot_inference_remote.wire.handshake import OpenReply, OpenRequest, proof, to_wire
from lerobot_inference_remote.wire.header import FIRST, Header, Kind
from lerobot_server.audit import Audit
from lerobot_server.config import Limits
from lerobot_server.fakes import JOINTS, StubPolicy
from lerobot_server.scheduler import MicroBatch, RoundRobin
from lerobot_server.service import Service
from lerobot_server.sessions import Session
from lerobot_server.worker import Worker


def service(policy: Any = None, **limits: Any) -> Service:
    return Service(policy or StubPolicy(), ("stub", "stub", "sha256:1"), Limits(**limits), RealClock())


def asks(robot: str = "left", nonce: str = "n", **more: Any) -> OpenRequest:
    return OpenRequest(robot, nonce, **{"observation": to_wire(JOINTS), "action": to_wire(JOINTS), **more})


def opened(found: Service, robot: str = "left", **more: Any) -> Session:
    reply, session = found.open(asks(robot, **more))
    assert reply.accepted, reply
    assert session is not None
    return session


def refused(found: Service, request: OpenRequest) -> OpenReply:
    reply, session = found.open(request)
    assert not reply.accepted
    assert session is None
    return reply


def observe(found: Service, session: Session, pose: float = 0.0, seq: int = 0, **header: Any) -> Any:
    body = encode(ObservationBody(tensors.pack(np.full(6, pose))))
    made = Header(Kind.OBSERVATION, session.id, seq, **header)
    return found.receive(session, made.pack(), body)


class Outbox:
    def __init__(self, found: Service, scheduler: Any = None) -> None:
        self.sent: list[tuple[str, Header, Any]] = []
        self.worker = Worker(found, self._send, scheduler)

    def _send(self, session: Session, header: Header, body: Any, job: Any = None) -> None:
        self.sent.append((session.robot, header, body))


# --- opening ----------------------------------------------------------------------------------------------------------


def test_a_robot_that_fits_gets_a_session() -> None:
    found = service(StubPolicy({"front": (8, 12)}))
    reply, session = found.open(asks(observation=to_wire({**JOINTS, "front": Feature("uint8", (8, 12, 3))})))
    assert reply.accepted
    assert session is not None
    assert reply.session == session.id != 0
    assert reply.states == list(JOINTS)
    assert reply.cameras == {"front": (8, 12, 3)}
    assert [each.robot for each in found.sessions] == ["left"]


def test_the_name_of_a_robot_is_held_by_one_process() -> None:
    found = service()
    first = opened(found, nonce="first")
    reply = refused(found, asks(nonce="second"))
    assert (reply.code, reply.retry) == ("robot in use", True)
    again = opened(found, nonce="first")
    assert found.sessions == [again] != [first]


def test_a_full_server_sends_robots_on_with_its_load() -> None:
    found = service(robots=2)
    opened(found, "a")
    opened(found, "b")
    reply = refused(found, asks("c"))
    assert (reply.code, reply.retry, reply.robots, reply.capacity) == ("full", True, 2, 2)
    opened(found, "a")


def test_a_policy_that_keeps_state_serves_one_robot() -> None:
    found = service(StubPolicy(stateless=False), robots=8)
    assert (found.shared, found.status().shared, found.capacity) == (False, False, 1)
    opened(found, "a")
    assert "keeps state" in refused(found, asks("b")).reasons[0]


def test_a_policy_without_chunks_is_refused() -> None:
    with pytest.raises(InferenceError, match="no chunks"):
        service(StubPolicy(chunk_size=1))


@pytest.mark.parametrize(
    ("request_", "limits", "code"),
    [
        (asks(schemas=(2, 3)), {}, "schema"),
        (asks(hash="sha256:2"), {}, "checkpoint"),
        (asks(task="wave"), {"task": "fold"}, "task"),
        (asks(), {"token": "secret"}, "token"),
        (asks(action=to_wire({"x.pos": Feature()})), {}, "features"),
        (asks(observation={}), {}, "features"),
        (asks(observation=to_wire({"joint_0.pos": Feature("uint8", (1, 1, 3))})), {}, "features"),
    ],
)
def test_what_does_not_fit_is_refused_for_good(request_: OpenRequest, limits: dict[str, Any], code: str) -> None:
    reply = refused(service(**limits), request_)
    assert (reply.code, reply.retry) == (code, False)
    assert reply.reasons


def test_every_reason_is_told_at_once() -> None:
    reply = refused(service(task="fold"), asks(task="wave", hash="sha256:2", action={}))
    assert len(reply.reasons) == 3


def test_who_knows_the_token_gets_in() -> None:
    found = service(token="secret")
    challenge = found.status().challenge
    assert challenge is not None
    opened(found, proof=proof("secret", challenge, "left", "n"))
    wrong = asks("right", proof=proof("guess", challenge, "right", "n"))
    assert refused(found, wrong).code == "token"
    stolen = asks("right", proof=proof("secret", challenge, "left", "n"))
    assert refused(found, stolen).code == "token"


def test_units_nobody_stated_are_warned_about() -> None:
    unknown = to_wire(dict.fromkeys(JOINTS, Feature()))
    reply, _ = service().open(asks(observation=unknown, action=unknown))
    assert reply.accepted
    assert any("unit" in warning for warning in reply.warnings)


# --- messages ---------------------------------------------------------------------------------------------------------


def test_a_request_is_answered_with_its_own_numbers() -> None:
    found = service()
    session, box = opened(found), Outbox(found)
    assert observe(found, session, pose=3.0, seq=5, episode=2, mono_ns=77) is None
    box.worker.serve()
    ((robot, header, body),) = box.sent
    assert (robot, header) == ("left", Header(Kind.CHUNK, session.id, 5, 2, 77))
    np.testing.assert_array_equal(tensors.unpack(body.actions, 2)[0], np.full(6, 3.0, np.float32))
    assert 0 < body.load <= 1


def test_the_newest_observation_is_served_and_the_others_are_counted() -> None:
    found = service()
    session, box = opened(found), Outbox(found)
    for seq in range(4):
        observe(found, session, pose=float(seq), seq=seq)
    box.worker.serve()
    ((_, header, body),) = box.sent
    assert (header.seq, body.superseded) == (3, 3)


def test_another_sessions_number_is_not_listened_to() -> None:
    found = service()
    session, box = opened(found), Outbox(found)
    body = encode(ObservationBody(tensors.pack(np.zeros(6))))
    header, refusal = found.receive(session, Header(Kind.OBSERVATION, session.id + 1, 1).pack(), body)  # type: ignore[misc]
    assert (header.kind, refusal.code, refusal.retry) == (Kind.REFUSAL, "unknown session", True)
    found.close(session, "test")
    assert found.receive(session, Header(Kind.OBSERVATION, session.id, 1).pack(), body)[1].code == "unknown session"  # type: ignore[index]
    box.worker.serve()
    assert not box.sent


def test_malformed_messages_are_counted_and_dropped() -> None:
    found = service(StubPolicy({"front": (8, 12)}))
    session = opened(found, observation=to_wire({**JOINTS, "front": Feature("uint8", (8, 12, 3))}))
    good = Header(Kind.OBSERVATION, session.id).pack()
    for attachment, payload in (
        (None, b""),
        (b"x" * 32, b""),
        (good, b""),
        (good, b"\xc1"),
        (good, encode(ObservationBody(tensors.pack(np.zeros(5))))),
        (good, encode(ObservationBody(tensors.pack(np.zeros(6))))),
        (good, bytes(session.limit + 1)),
        (Header(Kind.CHUNK, session.id).pack(), b""),
    ):
        assert found.receive(session, attachment, payload) is None
    assert session.malformed == 8
    assert not found.ready()
    assert b'dropped_total{reason="too large"} 1.0' in found.metrics.text()


def test_a_policy_that_fails_tells_the_robot_and_serves_the_next() -> None:
    policy = StubPolicy()
    found = service(policy)
    session, box = opened(found), Outbox(found)
    policy.fault = ValueError("no such tensor")
    observe(found, session)
    box.worker.serve()
    policy.fault = None
    observe(found, session, seq=1)
    box.worker.serve()
    (_, first, refusal), (_, second, _) = box.sent
    assert (first.kind, second.kind) == (Kind.REFUSAL, Kind.CHUNK)
    assert isinstance(refusal, RefusalBody)
    assert "no such tensor" in refusal.text
    assert not refusal.retry


# --- episodes ---------------------------------------------------------------------------------------------------------


def test_an_episode_resets_a_policy_that_one_robot_has_to_itself() -> None:
    policy = StubPolicy(stateless=False)
    found = service(policy)
    session, box = opened(found), Outbox(found)
    for episode, flags in ((0, FIRST), (0, 0), (1, FIRST), (1, 0), (3, 0)):
        observe(found, session, episode=episode, flags=flags)
        box.worker.serve()
    assert policy.resets == 3


def test_nobody_resets_a_policy_that_is_shared() -> None:
    policy = StubPolicy()
    found = service(policy)
    box = Outbox(found)
    for robot in ("a", "b"):
        observe(found, opened(found, robot), episode=4, flags=FIRST)
    box.worker.serve()
    assert policy.resets == 0


def test_each_robot_gets_a_view_where_the_policy_can_give_one() -> None:
    class Views(StubPolicy):
        views = 0
        bound: list[Any] = []

        def for_robot(self) -> Any:
            Views.views += 1
            return Bound()

    class Bound(StubPolicy):
        def bind(self, observation: Any, action: Any) -> None:
            Views.bound.append((tuple(observation), tuple(action)))

    found = service(Views())
    first, second = opened(found, "a"), opened(found, "b")
    assert first.policy is not second.policy
    assert Views.views == 2
    assert Views.bound == [(tuple(JOINTS), tuple(JOINTS))] * 2


# --- order ------------------------------------------------------------------------------------------------------------


def test_each_gets_one_answer_before_any_gets_two() -> None:
    """One robot asks ten times as often."""
    found = service()
    sessions = {robot: opened(found, robot) for robot in "abcd"}
    scheduler = RoundRobin()
    served: list[str] = []
    for _ in range(100):
        for session in sessions.values():
            observe(found, session)
        (chosen,) = scheduler.select(found.ready())
        chosen.mailbox.take()
        served.append(chosen.robot)
    assert Counter(served) == dict.fromkeys("abcd", 25)
    assert all(len({*served[i : i + 4]}) == 4 for i in range(0, 100, 4))


def test_a_batch_takes_those_that_wait_longest() -> None:
    policy = StubPolicy()
    found = service(policy)
    sessions = [opened(found, robot) for robot in "abcde"]
    box = Outbox(found, MicroBatch(4))
    for index, session in enumerate(sessions):
        observe(found, session, pose=float(index))
    box.worker.serve()
    assert policy.batches == [4, 1]
    answers = {robot: tensors.unpack(body.actions, 2)[0, 0] for robot, _, body in box.sent}
    assert answers == {"a": 0.0, "b": 1.0, "c": 2.0, "d": 3.0, "e": 4.0}


def test_what_has_a_leftover_to_continue_is_computed_alone() -> None:
    from lerobot_core.types import Guide
    from lerobot_inference_remote.wire.bodies import guide_body

    policy = StubPolicy(guidance="guided")
    found = service(policy)
    sessions = [opened(found, robot) for robot in "abc"]
    box = Outbox(found, MicroBatch(4))
    guide = guide_body(Guide(1, 10, "LINEAR", 1.0, tuple(JOINTS), np.zeros((3, 6), np.float32)))
    for session, its in zip(sessions, (guide, None, None), strict=True):
        body = encode(ObservationBody(tensors.pack(np.zeros(6)), guide=its))
        found.receive(session, Header(Kind.OBSERVATION, session.id).pack(), body)
    box.worker.serve()
    assert sorted(policy.batches) == [1, 2]
    assert sum(each is not None for each in policy.guides) == 1


@pytest.mark.parametrize(
    "change", [{"delay": 4}, {"delay": -1}, {"schedule": "SUDDEN"}, {"names": ["x"] * 6}, {"horizon": 1}]
)
def test_a_guide_that_makes_no_sense_is_dropped(change: dict[str, Any]) -> None:
    from lerobot_core.types import Guide
    from lerobot_inference_remote.wire.bodies import guide_body

    found = service(StubPolicy(guidance="guided"))
    session = opened(found)
    guide = guide_body(Guide(1, 10, "LINEAR", 1.0, tuple(JOINTS), np.zeros((3, 6), np.float32)))
    for key, value in change.items():
        setattr(guide, key, value)
    body = encode(ObservationBody(tensors.pack(np.zeros(6)), guide=guide))
    found.receive(session, Header(Kind.OBSERVATION, session.id).pack(), body)
    assert session.malformed == 1


# --- records ----------------------------------------------------------------------------------------------------------


def test_audit_lines_name_session_seq_and_episode(tmp_path: Path) -> None:
    path = tmp_path / "a" / "audit.jsonl"
    audit = Audit(path)
    found = Service(StubPolicy(), ("m", "stub", ""), Limits(), RealClock(), audit=audit)
    session, box = opened(found), Outbox(found)
    observe(found, session, seq=4, episode=2)
    box.worker.serve()
    found.open(asks("right", schemas=(9, 9)))
    found.close(session, "test")
    audit.close()
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [line["event"] for line in lines] == ["open", "request", "refused", "close"]
    request = lines[1]
    wanted = {"session": f"{session.id:016x}", "robot": "left", "seq": 4, "episode": 2, "outcome": "chunk"}
    assert wanted.items() <= request.items()
    assert request["infer_ms"] >= 0


def test_a_session_that_nobody_sees_and_that_is_silent_is_idle() -> None:
    found = service(idle_s=1.0)
    session = opened(found)
    later = session.heard + 2.0
    assert found.idle(later) == []
    session.seen = False
    assert found.idle(later) == [session]
    assert found.idle(session.heard + 0.5) == []
