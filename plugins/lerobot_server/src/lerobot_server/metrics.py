"""Counters and histograms, in Prometheus' words; a registry of one's own, so several servers fit in one process."""

from __future__ import annotations

from collections import deque
from typing import Any

from lerobot_core.inference.latency import percentile
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

BUCKETS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
KEPT = 1000


class Stage:
    """How long one stage of a request takes: a histogram, and percentiles of the newest `KEPT`."""

    def __init__(self, name: str, text: str, registry: CollectorRegistry) -> None:
        self._histogram = Histogram(f"lerobot_serve_{name}_seconds", text, registry=registry, buckets=BUCKETS)
        self._recent: deque[float] = deque(maxlen=KEPT)

    def observe(self, seconds: float) -> None:
        """One more."""
        self._histogram.observe(seconds)
        self._recent.append(seconds)

    def report(self) -> dict[str, float]:
        """p50, p95 and p99 in milliseconds."""
        times = list(self._recent)
        return {f"p{share}": round(percentile(times, share / 100) * 1e3, 3) for share in (50, 95, 99)}


class Metrics:
    """What `/metrics` shows."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        self.decode = Stage("decode", "unpacking an observation and its pictures", registry)
        self.queue = Stage("queue", "from arrival to the policy's turn", registry)
        self.infer = Stage("infer", "the policy's call", registry)
        self.total = Stage("total", "from arrival to the answer", registry)
        name = "lerobot_serve_"
        self.answered = Counter(name + "answers", "chunks sent", registry=registry)
        self.failed = Counter(name + "failures", "requests the policy failed on", registry=registry)
        self.dropped = Counter(name + "dropped", "messages not looked at, by reason", ["reason"], registry=registry)
        self.refused = Counter(name + "refusals", "sessions refused, by reason", ["reason"], registry=registry)
        self.superseded = Counter(name + "superseded", "observations a newer one replaced", registry=registry)
        self.batch = Histogram(
            name + "batch", "requests computed together", registry=registry, buckets=(1, 2, 4, 8, 16)
        )
        self.robots = Gauge(name + "robots", "sessions open", registry=registry)
        self.capacity = Gauge(name + "capacity", "sessions at most", registry=registry)
        self.draining = Gauge(name + "draining", "1 while it ends", registry=registry)

    def text(self) -> bytes:
        """The exposition format."""
        return generate_latest(self.registry)

    def report(self) -> dict[str, Any]:
        """Percentiles by stage."""
        return {stage: getattr(self, stage).report() for stage in ("decode", "queue", "infer", "total")}
