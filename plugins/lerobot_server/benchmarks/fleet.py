"""Many robots at one server: is everybody served alike, and does the server grow?

python fleet.py [--robots 64] [--rate 2] [--size 64] [--latency-ms 5] [--seconds 60]
"""

from __future__ import annotations

import argparse
import json
import threading
from typing import Any

from common import ServerProcess, machine, ms, scene
from lerobot_core.clock import RealClock
from lerobot_core.contracts.inference import Meeting
from lerobot_core.types import Observation
from lerobot_inference_remote.config import RemoteConfig
from lerobot_inference_remote.link import ZenohLink
from lerobot_inference_remote.policy import RemotePolicy
from lerobot_inference_remote.transport import Security
from lerobot_inference_remote.trouble import Trouble
from lerobot_server.fakes import JOINTS


class One:
    """A robot that asks at a fixed rate, whatever the answer."""

    def __init__(self, port: int, name: str, seen: dict[str, Any], features: Any) -> None:
        self.clock = RealClock()
        where = f"tcp/127.0.0.1:{port}"
        self.policy = RemotePolicy(RemoteConfig(connect=where), ZenohLink(where, Security(), self.clock), self.clock)
        self.policy.meet(Meeting(robot=name, observation=features, action=JOINTS))
        self.policy.warmup()
        self.seen, self.served, self.failed = seen, 0, 0
        self.seconds: list[float] = []

    def run(self, rate: float, until: float, offset: float) -> None:
        """Ask until `until`."""
        due = self.clock.now() + offset
        while (now := self.clock.now()) < until:
            due = max(due, now - 1.0 / rate)  # a robot that could not keep up does not catch up
            self.clock.sleep_until(due)
            began = self.clock.now()
            try:
                self.policy.predict_chunk(Observation(self.seen, began), "")
                self.served += 1
                self.seconds.append(self.clock.now() - began)
            except Trouble:
                self.failed += 1
            due += 1.0 / rate


def main() -> None:
    """Print one JSON object."""
    parser = argparse.ArgumentParser()
    for name, default in (
        ("robots", 64),
        ("rate", 2.0),
        ("size", 64),
        ("latency-ms", 5.0),
        ("seconds", 60.0),
        ("warm", 20.0),
    ):
        parser.add_argument(f"--{name}", type=type(default), default=default)
    options = parser.parse_args()
    server = ServerProcess(1, options.size, options.size, options.latency_ms)
    from lerobot_core.types import Feature

    features = {**JOINTS, "camera_0": Feature("uint8", (options.size, options.size, 3))}
    seen = {**dict.fromkeys(JOINTS, 1.0), "camera_0": scene(options.size, options.size, 3)}
    fleet = [One(server.port, f"robot-{i}", seen, features) for i in range(options.robots)]
    clock = RealClock()
    until = clock.now() + options.warm + options.seconds
    threads = [
        threading.Thread(target=each.run, args=(options.rate, until, i / options.robots / options.rate))
        for i, each in enumerate(fleet)
    ]
    for thread in threads:
        thread.start()
    clock.sleep_until(until - options.seconds)
    before, counted = server.figures(), [each.served for each in fleet]
    clock.sleep_until(until)
    for thread in threads:
        thread.join()
    after = server.figures()
    served = [each.served - was for each, was in zip(fleet, counted, strict=True)]
    times = [second for each in fleet for second in each.seconds[-int(options.rate * options.seconds) :]]
    found = {
        "robots": options.robots,
        "seconds": options.seconds,
        "utilisation": round(sum(served) / options.seconds * options.latency_ms / 1e3, 3),
        "server_cpu": round((after["cpu_s"] - before["cpu_s"]) / options.seconds, 3),
        "served": {
            "slowest": min(served),
            "fastest": max(served),
            "ratio": round(max(served) / max(min(served), 1), 3),
        },
        "failed": sum(each.failed for each in fleet),
        "reconnects": sum(each.policy.figures.reconnects for each in fleet),
        "latency_ms": ms(times),
        "server_ms": after["latency_ms"],
        "rss_mb": {"before": round(before["rss_mb"], 2), "after": round(after["rss_mb"], 2)},
        "machine": machine(),
    }
    print(json.dumps(found))
    for each in fleet:
        each.policy.close()
    server.close()


if __name__ == "__main__":
    main()
