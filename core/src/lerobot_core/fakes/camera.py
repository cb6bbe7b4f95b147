"""A camera that sees a test pattern."""

from __future__ import annotations

import dataclasses
import threading

from ..clock import Clock
from ..errors import CameraError
from ..types import Feature, Frame
from .config import FakeCameraConfig
from .pattern import Pattern


class FakeCamera:
    """Captures on a thread of the run's clock; frame n is due n/fps after `connect`."""

    def __init__(self, config: FakeCameraConfig, clock: Clock) -> None:
        self._config, self._clock = config, clock
        self._pattern = Pattern(config.width, config.height, config.seed)
        self._latest: Frame | None = None
        self._stop: threading.Event | None = None

    @property
    def feature(self) -> Feature:
        """uint8 (H, W, 3)."""
        return Feature("uint8", (self._config.height, self._config.width, 3))

    @property
    def fps(self) -> float:
        """As configured, also when it is slow."""
        return self._config.fps

    @property
    def is_connected(self) -> bool:
        """True between `connect` and `disconnect`."""
        return self._stop is not None

    def identity(self) -> str:
        """`fake-SEED`."""
        return f"fake-{self._config.seed}"

    def connect(self) -> None:
        """Take frame 0 and start capturing; fails with fault `gone` and `fault_after` 0."""
        if self._config.fault == "gone" and self._config.fault_after == 0:
            raise CameraError(f"camera {self.identity()} is not there", "fault gone was asked for")
        stop = threading.Event()
        start = self._clock.now()
        self._latest = self._frame(0, start)
        self._stop = stop
        self._clock.spawn(f"camera-{self.identity()}", lambda: self._capture(stop, start), rank=0)

    def read_latest(self, max_age: float) -> Frame:
        """The newest frame; a `frozen` camera gives its last one for ever, one that is `gone` raises CameraError."""
        latest = self._latest
        if latest is None or self._stop is None:
            raise CameraError(f"camera {self.identity()} is not connected")
        if self._config.fault == "gone" and latest.seq >= self._config.fault_after:
            raise CameraError(f"camera {self.identity()} is gone", "fault gone was asked for")
        stale = self._clock.now() - latest.captured > max_age
        return dataclasses.replace(latest, stale=True) if stale else latest

    def disconnect(self) -> None:
        """Stop capturing. The thread ends by itself: waiting for it would stop a virtual clock."""
        if self._stop is not None:
            self._stop.set()
        self._stop = self._latest = None

    def _capture(self, stop: threading.Event, start: float) -> None:
        seq, due = 0, start
        while not stop.is_set():
            due = max(due + self._period(seq), self._clock.now() - 1.0 / self._config.fps)
            if self._clock.wait(stop, due):
                return
            if self._config.fault == "frozen" and seq >= self._config.fault_after:
                continue
            seq += 1
            frame = self._frame(seq, due)
            if not stop.is_set():
                self._latest = frame

    def _period(self, seq: int) -> float:
        slow = self._config.fault == "slow" and seq >= self._config.fault_after
        return (4.0 if slow else 1.0) / self._config.fps

    def _frame(self, seq: int, captured: float) -> Frame:
        return Frame(self._pattern.frame(seq), captured, seq)
