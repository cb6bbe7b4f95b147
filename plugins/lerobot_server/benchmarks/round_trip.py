"""One observation there and one chunk back, beside a bare zenoh put/echo of the same bytes in the same run.

    python round_trip.py [--rounds 30] [--latency-ms 5] [--quality 90] [--checkpoint FOLDER]

`wire` is the round trip less inference and less decoding; encoding is before it. They alternate, each after the same pause.
"""

from __future__ import annotations

import argparse
import json
import struct
from typing import Any

import zenoh
from common import ServerProcess, machine, ms, scene
from lerobot_core.clock import RealClock
from lerobot_core.contracts.inference import Meeting
from lerobot_core.types import Observation
from lerobot_inference_remote.codec import Encoder
from lerobot_inference_remote.config import RemoteConfig
from lerobot_inference_remote.link import ZenohLink
from lerobot_inference_remote.policy import RemotePolicy
from lerobot_inference_remote.transport import Security, open_session, settings
from lerobot_inference_remote.trouble import Trouble

BLOCK = 20


class Echo:
    """The least a client can do."""

    def __init__(self, port: int, body: bytes) -> None:
        self.session = open_session(settings("client", connect=[f"tcp/127.0.0.1:{port}"]))
        self._subscriber = self.session.declare_subscriber("echo/back", zenoh.handlers.RingChannel(1))
        self._answers = self._subscriber.handler  # it ends with the subscriber
        self._there = self.session.declare_publisher("echo/there", express=False)
        self._body, self._clock, self._count = body, RealClock(), 0

    def once(self) -> float:
        """Seconds."""
        self._count += 1
        began = self._clock.now()
        self._there.put(self._body, attachment=struct.pack("<Q24x", self._count))
        self._answers.recv()
        return self._clock.now() - began


def main() -> None:
    """Print one JSON object."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--latency-ms", type=float, default=5.0)
    parser.add_argument("--quality", type=int, default=90)
    parser.add_argument("--pause-ms", type=float, default=15.0, help="before each of either, so that both begin alike")
    parser.add_argument("--checkpoint")
    options = parser.parse_args()
    more = [options.checkpoint] if options.checkpoint else []
    server = ServerProcess(2, 480, 640, options.latency_ms, *more)
    clock = RealClock()
    where = f"tcp/127.0.0.1:{server.port}"
    policy = RemotePolicy(
        RemoteConfig(connect=where, jpeg_quality=options.quality), ZenohLink(where, Security(), clock), clock
    )
    policy.meet(Meeting(robot="bench"))
    policy._meeting = Meeting(robot="bench", observation=policy.needs, action=policy.gives)
    policy.warmup()
    pictures = {key: scene(*each.shape[:2], 1) for key, each in policy.needs.items() if each.shape}
    seen = {**dict.fromkeys(policy.gives, 1.0), **pictures}
    seen |= {key: 1.0 for key, each in policy.needs.items() if not each.shape}
    body = Encoder(options.quality).encode(
        Observation(seen, clock.now()),
        list(policy.gives),
        policy.opened.reply.cameras,
        "",
        clock.now(),
        None,  # type: ignore[union-attr]
    )
    echo = Echo(server.echo_port, body)
    rows: dict[str, list[float]] = {
        key: [] for key in ("wire", "echo", "encode", "decode", "queue", "infer", "end_to_end")
    }
    answered = policy.figures.answered

    def note(seconds: float, reply: Any) -> None:
        answered(seconds, reply)
        rows["decode"].append(reply.decode_ms / 1e3)
        rows["queue"].append(reply.queue_ms / 1e3)
        rows["infer"].append(reply.infer_ms / 1e3)
        rows["wire"].append(seconds - (reply.decode_ms + reply.infer_ms) / 1e3)

    policy.figures.answered = note  # type: ignore[method-assign]
    for index in range(options.rounds + 2):
        if index == 2:  # two blocks of each are warm-up
            for values in rows.values():
                values.clear()
            policy.figures.encode._seconds.clear()
        for _ in range(BLOCK):
            clock.sleep_until(clock.now() + options.pause_ms / 1e3)
            began = clock.now()
            try:
                policy.predict_chunk(Observation(seen, began), "")
            except Trouble:  # a machine so busy that nothing came in time; counted as `timeouts`
                continue
            rows["end_to_end"].append(clock.now() - began - rows["infer"][-1])
            clock.sleep_until(clock.now() + options.pause_ms / 1e3)
            rows["echo"].append(echo.once())
    rows["encode"] = list(policy.figures.encode._seconds)
    found = {key: ms(values) for key, values in rows.items()}
    ratio = {each: round(found["wire"][each] / found["echo"][each], 2) for each in ("p50", "p99")}
    print(
        json.dumps(
            {
                "n": len(rows["wire"]),
                "timeouts": policy.figures.timeouts,
                "body_bytes": len(body),
                "ratio": ratio,
                "ms": found,
                "machine": machine(),
            }
        )
    )
    policy.close()
    echo.session.close()  # type: ignore[no-untyped-call]
    server.close()


if __name__ == "__main__":
    main()
