"""A server process for the benchmarks: a stub of known latency (or a checkpoint), and a bare echo beside it.

python server.py PORT ECHO_PORT CAMERAS HEIGHT WIDTH LATENCY_MS [CHECKPOINT]
"""

from __future__ import annotations

import json
import sys
import threading
from pathlib import Path
from typing import Any

import zenoh
from lerobot_inference_remote.transport import open_session, settings
from lerobot_server.fakes import StubPolicy, serving


def rss_mb() -> float:
    """Resident memory of this process."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 1e6


def cpu_s() -> float:
    """CPU seconds of this process."""
    import resource

    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def echo(session: Any, size: int) -> None:
    """The least that answers: a callback that puts `size` bytes back."""
    back = session.declare_publisher(
        "echo/back",
        express=True,
        congestion_control=zenoh.CongestionControl.DROP,
        priority=zenoh.Priority.INTERACTIVE_HIGH,
    )
    answer = bytes(size)
    session.declare_subscriber(
        "echo/there", zenoh.handlers.Callback(lambda s: back.put(answer, attachment=s.attachment), indirect=False)
    )


def policy_of(words: list[str]) -> Any:
    """A checkpoint by its folder, else the stub."""
    cameras, height, width, latency = int(words[0]), int(words[1]), int(words[2]), float(words[3])
    if len(words) > 4:
        from lerobot_core.clock import RealClock
        from lerobot_core.config.decode import decode
        from lerobot_core.config.origin import Origin
        from lerobot_core.registry import default_registry
        from lerobot_core.specs import Parts

        registry = default_registry()
        options = dict(registry.resolve("policy", words[4]))  # type: ignore[arg-type]
        spec = registry.spec("policy", options.pop("type"))
        config = decode(spec.config, options, Origin("config", "benchmark"), registry)
        return spec.build(config, Parts(clock=RealClock()))
    return StubPolicy({f"camera_{i}": (height, width) for i in range(cameras)}, latency_s=latency / 1e3)


def main() -> None:
    """Serve until stdin closes; each line on stdin is answered with figures of this process."""
    port, echo_port = int(sys.argv[1]), int(sys.argv[2])
    policy = policy_of(sys.argv[3:])
    session = open_session(settings("peer", listen=[f"tcp/127.0.0.1:{echo_port}"]))
    echo(session, policy.chunk_size * len(policy.gives) * 4)
    with serving(policy, port, max_robots=128) as server:
        print(json.dumps({"ready": True}), flush=True)
        for _ in sys.stdin:
            found = {
                "rss_mb": rss_mb(),
                "cpu_s": cpu_s(),
                "answered": {each.robot: each.answered for each in server.service.sessions},
                "latency_ms": server.service.metrics.report(),
                "threads": threading.active_count(),
            }
            print(json.dumps(found), flush=True)
    session.close()  # type: ignore[no-untyped-call]


if __name__ == "__main__":
    main()
