"""Random, mutated and oversize bytes on every topic: counted, dropped, and the robot that behaves is served as before.

20,000 in the default run; `LEROBOT_FUZZ=1000000` for the session of that name.
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from lerobot_core.clock import RealClock
from lerobot_core.types import Feature, Guide
from lerobot_inference_remote.transport import open_session, settings
from lerobot_inference_remote.wire import pictures, tensors
from lerobot_inference_remote.wire.bodies import (
    ChunkBody,
    ObservationBody,
    RefusalBody,
    chunk_body,
    chunk_of,
    decode,
    encode,
    guide_body,
)
from lerobot_inference_remote.wire.errors import WireError
from lerobot_inference_remote.wire.handshake import LIMIT, OpenReply, OpenRequest, Status, features_of, to_wire
from lerobot_inference_remote.wire.header import Header, Kind, unpack
from lerobot_inference_remote.wire.keys import RobotKeys, ServerKeys
from lerobot_server.config import Limits
from lerobot_server.fake_robot import Robot
from lerobot_server.fakes import JOINTS, StubPolicy, serving
from lerobot_server.service import Service

COUNT = int(os.environ.get("LEROBOT_FUZZ", "20000"))
CAMERA = {"front": Feature("uint8", (16, 24, 3))}


def junk(dice: random.Random, seeds: list[bytes]) -> bytes:
    """Bytes of any kind: random, a good message with bytes changed, cut, doubled, or with a length made huge."""
    kind = dice.randrange(5)
    if kind == 0:
        return dice.randbytes(dice.randrange(200))
    data = bytearray(dice.choice(seeds))
    if kind == 1:
        return bytes(data[: dice.randrange(len(data) + 1)])
    if kind == 2:
        return bytes(data) + dice.randbytes(dice.randrange(50))
    place = dice.randrange(len(data))
    if kind == 3:
        data[place : place + 5] = dice.choice(
            [b"\xdd\xff\xff\xff\xff", b"\xc6\xff\xff\xff\xff", b"\xdf\xff\xff\xff\xff"]
        )
        return bytes(data)
    for _ in range(dice.randrange(1, 8)):
        data[dice.randrange(len(data))] = dice.randrange(256)
    return bytes(data)


def observation() -> bytes:
    image = np.random.default_rng(0).integers(0, 255, (16, 24, 3), np.uint8)
    guide = Guide(1, 4, "LINEAR", 5.0, tuple(JOINTS), np.zeros((2, 6), np.float32))
    state = tensors.pack(np.zeros(6))
    return encode(ObservationBody(state, {"front": pictures.pack(image, 90)}, "wave", 0.1, guide_body(guide)))


def asks() -> OpenRequest:
    return OpenRequest("left", "n", to_wire({**JOINTS, **CAMERA}), to_wire(JOINTS))


def messages() -> dict[str, Iterator[bytes]]:
    policy = StubPolicy({"front": (16, 24)}, guidance="guided")
    service = Service(policy, ("m", "stub", ""), Limits(), RealClock())
    from lerobot_core.types import Observation

    chunk = policy.predict_chunk(Observation(dict.fromkeys(JOINTS, 0.0)), "")
    seeds = {
        "observation": [observation()],
        "chunk": [encode(chunk_body(chunk)), encode(RefusalBody("x", "y"))],
        "open": [encode(asks())],
        "reply": [encode(OpenReply(True, 5, states=list(JOINTS))), encode(service.status())],
    }
    dice = random.Random(7)

    def of(kind: str) -> Iterator[bytes]:
        while True:
            yield junk(dice, seeds[kind])

    return {kind: of(kind) for kind in seeds}


def test_the_server_survives_any_observation() -> None:
    policy = StubPolicy({"front": (16, 24)}, guidance="guided")
    service = Service(policy, ("m", "stub", ""), Limits(), RealClock())
    _, session = service.open(asks())
    assert session is not None
    dice, bodies = random.Random(3), messages()["observation"]
    good = Header(Kind.OBSERVATION, session.id).pack()
    for _ in range(COUNT // 2):
        attachment = good if dice.random() < 0.8 else junk(dice, [good])
        service.receive(session, attachment, next(bodies))
    assert session.malformed > COUNT // 8
    for job in [session.mailbox.take()]:
        if job is not None:  # what got through is an observation as agreed
            assert job.seen["front"].shape == (16, 24, 3)
    assert service.receive(session, good, observation()) is None
    assert session.mailbox.waiting is not None


def test_the_server_survives_any_opening_and_the_client_any_answer() -> None:
    service = Service(StubPolicy(), ("m", "stub", ""), Limits(robots=4), RealClock())
    made = messages()
    refused = 0
    for _ in range(COUNT // 4):
        try:
            _, session = service.open(decode(next(made["open"]), OpenRequest, LIMIT))
            if session is not None:
                service.close(session, "test")
        except WireError:
            refused += 1
        for data, kind in ((next(made["chunk"]), ChunkBody), (next(made["reply"]), Status), (data_of(made), OpenReply)):
            try:
                found: Any = decode(data, kind, LIMIT)
                if isinstance(found, ChunkBody):
                    chunk_of(found)
                if isinstance(found, Status):
                    features_of(found.needs)
            except WireError:
                refused += 1
    assert refused > COUNT // 4


def data_of(made: dict[str, Iterator[bytes]]) -> bytes:
    return next(made["reply"])


def test_headers() -> None:
    dice = random.Random(5)
    good = Header(Kind.CHUNK, 1).pack()
    for _ in range(COUNT // 4):
        try:
            unpack(junk(dice, [good]))
        except WireError:
            pass


def test_on_every_topic_of_a_real_server(port: int) -> None:
    """With a robot at work beside it; nothing but its own answers reaches the queue, and nobody runs out of memory."""
    count = min(COUNT, 20_000) // 10
    policy = StubPolicy({"front": (16, 24)})
    made, dice = messages(), random.Random(9)
    with serving(policy, port) as server, Robot(policy.needs, policy.gives, connect=f"tcp/127.0.0.1:{port}") as left:
        left.first()
        stranger = open_session(settings("client", connect=[f"tcp/127.0.0.1:{port}"]))
        robot, replica = RobotKeys("stub", "left"), ServerKeys("stub", server.service.replica)
        good = Header(Kind.OBSERVATION, server.service.sessions[0].id).pack()
        try:
            for index in range(count):
                attachment = dice.choice([good, None, junk(dice, [good])])
                stranger.put(robot.observations, next(made["observation"]), attachment=attachment)
                stranger.put(robot.actions, next(made["chunk"]), attachment=dice.choice([good, junk(dice, [good])]))
                if index % 20 == 0:
                    list(stranger.get(robot.opening(replica.replica), payload=next(made["open"]), timeout=5))
                    list(stranger.get(replica.status, payload=dice.randbytes(20), timeout=5))
                    left.take()
            stranger.put(robot.observations, bytes(server.service.sessions[0].limit + 1), attachment=good)
            stranger.put(robot.actions, bytes(9 << 20), attachment=good)
            left.run(0.3)
            left.engine.reset()
            left.pose = 5.0
            timed = left.until(lambda timed: timed is not None and timed.action["joint_0.pos"] == 5.0 + timed.step)
            assert timed is not None
            assert server.service.sessions[0].malformed > 0
            assert left.engine.state != "dead"
        finally:
            stranger.close()  # type: ignore[no-untyped-call]


def test_a_message_over_the_transports_limit_costs_its_sender_the_connection(port: int) -> None:
    policy = StubPolicy()
    with serving(policy, port), Robot(policy.needs, policy.gives, connect=f"tcp/127.0.0.1:{port}") as left:
        left.first()
        stranger = open_session(settings("client", connect=[f"tcp/127.0.0.1:{port}"], max_message=1 << 30))
        try:
            stranger.put(RobotKeys("stub", "left").observations, bytes(40 << 20))
            left.run(0.5)
            left.engine.reset()
            left.first()
        finally:
            stranger.close()  # type: ignore[no-untyped-call]


@pytest.mark.parametrize("name", ["", "*", "**", "@server", "a/b", "$*", "?", "#"])
def test_names_that_would_be_patterns(port: int, name: str) -> None:
    from lerobot_core.errors import UserError

    policy = StubPolicy()
    with serving(policy, port) as server:
        left = Robot(policy.needs, policy.gives, name, connect=f"tcp/127.0.0.1:{port}")
        try:
            left.start().first()
            assert [each.robot for each in server.service.sessions] == [name or left.engine.stats()["remote"]["robot"]]
        except UserError:
            pytest.fail("a name is only a name")
        finally:
            left.engine.stop()
