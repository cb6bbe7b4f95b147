"""What was asked and answered can be computed again, byte for byte."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from lerobot_core.clock import RealClock
from lerobot_core.errors import ConfigError
from lerobot_core.types import Observation
from lerobot_inference_remote.wire.bodies import ChunkBody, decode, values
from lerobot_inference_remote.wire.handshake import OpenRequest, to_wire
from lerobot_inference_remote.wire.header import Header, Kind, unpack
from lerobot_server.capture import Capture, read
from lerobot_server.config import Limits
from lerobot_server.fakes import JOINTS, StubPolicy, serving
from lerobot_server.service import Service
from lerobot_server.worker import Worker


def test_the_newest_are_kept_and_compute_to_the_same(tmp_path: Path) -> None:
    from lerobot_inference_remote.wire import tensors
    from lerobot_inference_remote.wire.bodies import ObservationBody, encode

    service = Service(StubPolicy(), ("m", "stub", ""), Limits(), RealClock())
    service.keep_bodies = True
    sent: list[Any] = []
    capture = Capture(tmp_path, 3, lambda *answer: sent.append(answer))
    worker = Worker(service, capture.send)
    _, session = service.open(OpenRequest("left", "n", to_wire(JOINTS), to_wire(JOINTS)))
    assert session is not None
    import numpy as np

    for seq in range(5):
        body = encode(ObservationBody(tensors.pack(np.full(6, float(seq)))))
        service.receive(session, Header(Kind.OBSERVATION, session.id, seq).pack(), body)
        worker.serve()
    files = sorted(tmp_path.iterdir())
    assert [unpack(read(path)[0].header).seq for path in files] == [2, 3, 4]
    assert len(sent) == 5
    for path in files:
        found, body_again = read(path)
        seen = values(body_again, found.states, found.cameras)
        again = StubPolicy().predict_chunk(Observation(seen, 0.0), body_again.task)
        answer = decode(found.answer, ChunkBody, 1 << 20)
        assert answer.actions.data == again.actions.tobytes()


def test_another_run_goes_on_where_the_last_one_ended(tmp_path: Path) -> None:
    (tmp_path / "0000000041.msgpack").write_bytes(b"")
    assert Capture(tmp_path, 3, lambda *_: None)._count == 42


def test_a_folder_that_cannot_be_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="cannot be written"):
        Capture(tmp_path / "file", 3, lambda *_: None)


def test_a_server_keeps_them(tmp_path: Path, port: int) -> None:
    from lerobot_server.fake_robot import Robot

    policy = StubPolicy()
    with (
        serving(policy, port, capture=tmp_path, capture_max=2),
        Robot(policy.needs, policy.gives, connect=f"tcp/127.0.0.1:{port}") as left,
    ):
        left.first()
        left.run(1.5)
    assert len([*tmp_path.iterdir()]) == 2
