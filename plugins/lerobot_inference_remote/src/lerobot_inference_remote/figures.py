"""What the client measured, for the summary; durations only, two machines' clocks are never compared."""

from __future__ import annotations

from collections import deque
from typing import Any

from lerobot_core.inference.latency import percentile

from .wire.bodies import ChunkBody

KEPT = 10_000


class Times:
    """Durations in seconds, the newest `KEPT` of them."""

    def __init__(self) -> None:
        self._seconds: deque[float] = deque(maxlen=KEPT)

    def add(self, seconds: float) -> None:
        """One more."""
        self._seconds.append(seconds)

    def report(self) -> dict[str, float]:
        """p50 and p99 in milliseconds."""
        times = list(self._seconds)
        return {"p50": round(percentile(times, 0.5) * 1e3, 3), "p99": round(percentile(times, 0.99) * 1e3, 3)}


class Figures:
    """Counters and times of one client."""

    def __init__(self) -> None:
        self.reconnects = self.timeouts = self.malformed = self.refusals = self.superseded = 0
        self.encode, self.round_trip, self.wire = Times(), Times(), Times()
        self.server_decode, self.server_queue, self.server_infer = Times(), Times(), Times()

    def answered(self, seconds: float, body: ChunkBody) -> None:
        """A chunk came `seconds` after its observation was sent."""
        server = (body.decode_ms + body.queue_ms + body.infer_ms) / 1e3
        self.round_trip.add(seconds)
        self.wire.add(max(seconds - server, 0.0))
        self.server_decode.add(body.decode_ms / 1e3)
        self.server_queue.add(body.queue_ms / 1e3)
        self.server_infer.add(body.infer_ms / 1e3)
        self.superseded = body.superseded

    def report(self) -> dict[str, Any]:
        """Plain values; `wire_ms` is what neither codec, queue nor policy took."""
        counted = {key: getattr(self, key) for key in ("reconnects", "timeouts", "malformed", "refusals", "superseded")}
        times = ("encode", "round_trip", "wire", "server_decode", "server_queue", "server_infer")
        return counted | {f"{key}_ms": getattr(self, key).report() for key in times}
