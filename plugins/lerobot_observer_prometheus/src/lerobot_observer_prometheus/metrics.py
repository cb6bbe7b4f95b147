"""The figures, one family a line of the README's table."""

from __future__ import annotations

from typing import Any

from lerobot_core.types import Step
from prometheus_client import CollectorRegistry, Counter, Gauge, Info

INFO = ("verb", "strategy", "robot", "policy", "inference", "task")


class Metrics:
    """What is known of one run.

    Attributes:
        registry: what is exposed; of this run only.
    """

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        self._run = Info("lerobot_run", "What is run", registry=registry)
        self._fps = Gauge("lerobot_fps", "Policy periods a second, as asked for", registry=registry)
        self._row = Gauge("lerobot_row", "Index of the newest period", registry=registry)
        self._seen = Counter(
            "lerobot_rows_seen", "Rows looked at, by who chose the action", ["source"], registry=registry
        )
        self._changed = Counter(
            "lerobot_filtered_rows", "Rows looked at in which the safety filter stepped in", ["kind"], registry=registry
        )
        self._flagged = Counter("lerobot_flagged_rows", "Rows looked at with a flag", ["flag"], registry=registry)
        self._observed = Gauge(
            "lerobot_observed", "State by robot key, in the robot's units", ["key"], registry=registry
        )
        self._sent = Gauge("lerobot_sent", "Action sent by robot key, in the robot's units", ["key"], registry=registry)
        self._frame_age = Gauge(
            "lerobot_frame_age_seconds", "Age of a camera's frame when it was used", ["camera"], registry=registry
        )
        self._action_age = Gauge(
            "lerobot_action_age_seconds", "From the observation to the action it led to", registry=registry
        )

    def run(self, info: dict[str, Any]) -> None:
        """What is run."""
        self._run.info({name: str(info.get(name) or "") for name in INFO})
        self._fps.set(float(info.get("fps") or 0.0))

    def row(self, step: Step) -> None:
        """The newest row."""
        self._row.set(step.index)
        self._seen.labels(step.source).inc()
        for kind in {item.partition(":")[0] for item in step.filtered}:
            self._changed.labels(kind).inc()
        for flag in (
            *step.observation.flags,
            *(("late",) if step.late and "late" not in step.observation.flags else ()),
        ):
            self._flagged.labels(flag).inc()
        for key, value in step.observation.items():
            if isinstance(value, float | int):
                self._observed.labels(key).set(value)
        for key, value in step.sent.items():
            self._sent.labels(key).set(value)
        for camera, captured in step.observation.captured.items():
            self._frame_age.labels(camera).set(max(step.observation.time - captured, 0.0))
        if step.timed is not None:
            self._action_age.set(step.t - step.timed.time)
