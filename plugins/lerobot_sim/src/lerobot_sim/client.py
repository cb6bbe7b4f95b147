"""The world as the run sees it: one process, asked over a channel."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from lerobot_core.clock import Clock, RealClock
from lerobot_core.contracts.bus import Motor
from lerobot_core.errors import DeviceError

from .children import Child
from .wire import Gone

STEP_S = 0.005
"""How often a world on a virtual clock is moved, seconds."""
WORLD_RANK = 0
"""Moved before the loop looks at it."""


class SimWorld:
    """A scene with an SO-100, in a process of its own.

    Args:
        ref: what it is called (`sim`, `sim:1`), for messages.
        clock: on a real one the world lives by itself; on any other a thread of rank 0 moves it.
        seed: the first attempt's.
        auto_reset: begin the next attempt when one ends.

    Raises:
        DeviceError: the process did not start.
    """

    def __init__(self, ref: str, clock: Clock, seed: int = 0, auto_reset: bool = True) -> None:
        self.ref = ref
        self._lock = threading.Lock()
        self._child = Child("lerobot_sim.host")
        self._closed = threading.Event()
        self.on_close: Callable[[], None] = lambda: None
        stepped = not isinstance(clock, RealClock)
        try:
            self._exchange({"stepped": stepped, "now": clock.now(), "seed": seed, "auto_reset": auto_reset})
        except DeviceError:
            self.close()
            raise
        if stepped:
            clock.spawn(f"world {ref}", lambda: self._move(clock), WORLD_RANK)

    @property
    def pid(self) -> int:
        """The world's process."""
        return self._child.pid

    @property
    def attempts(self) -> list[dict[str, Any]]:
        """Finished attempts: seed, success, seconds."""
        return list(self.ask("attempts"))

    def reset(self, seed: int | None = None) -> None:
        """End this attempt and start another; None takes the next seed. The arm stays where it is."""
        self.ask("reset", seed=seed)

    def success(self) -> bool:
        """Has the current attempt succeeded?"""
        return bool(self.ask("success"))

    def truth(self) -> dict[str, Any]:
        """Where everything is: for the scripted expert, never for a policy."""
        return dict(self.ask("truth"))

    def fault(self, kind: str, **options: Any) -> None:
        """Break something; the kinds are in `servo.rig.Rig.fault`, and `frozen` and `missing` are for cameras.

        Raises:
            DeviceError: an unknown kind, motor or option.
        """
        self.ask("fault", kind=kind, **options)

    def hands(self, what: str) -> float:
        """Let a person's hands put each limp arm that is plugged in in the `middle`, sweep it through its `ranges`, or
        lay it to `rest`.

        Returns at once, with the seconds it takes. The middle, and the end of the ranges, are held until torque is
        switched on or something else is asked for.
        """
        return float(self.ask("hands", what=what))

    def log(self) -> list[dict[str, Any]]:
        """Goals as the servos received them: [{t, goals {motor: raw}}], `t` by the run's clock."""
        return list(self.ask("log"))

    def stats(self) -> dict[str, Any]:
        """`cpu_s` of the world's processes, `sim_s`, `lost_s`, `wire_s`, `requests`, `frames_skipped`, `pid`."""
        return dict(self.ask("stats"))

    def open_port(self, protocol: str, motors: Mapping[str, Motor]) -> tuple[str, int]:
        """A serial port at whose end these motors hang, and its number for `close_port`.

        Raises:
            DeviceError: the protocol or a model is not emulated.
        """
        wanted = {name: [motor.id, motor.model] for name, motor in motors.items()}
        opened = self.ask("port", protocol=protocol, motors=wanted)
        return opened["path"], opened["rig"]

    def close_port(self, number: int) -> None:
        """Pull the cable out. A world that has ended has no cables."""
        self._tell("close_port", rig=number)

    def open_camera(self, view: str, width: int, height: int, fps: float, memory: int) -> int:
        """Begin to draw into shared memory; returns the camera's number."""
        return int(self.ask("camera", [memory], view=view, width=width, height=height, fps=fps))

    def close_camera(self, number: int) -> None:
        """Draw it no more. A world that has ended draws nothing."""
        self._tell("close_camera", number=number)

    def ask(self, op: str, files: Sequence[int] = (), **arguments: Any) -> Any:
        """One question, one answer; any thread may ask.

        Raises:
            DeviceError: the world refuses, or has ended.
        """
        return self._exchange({"op": op, **arguments}, files)

    def close(self) -> None:
        """End its process. Idempotent."""
        if not self._closed.is_set():
            self._closed.set()
            self.on_close()
            with self._lock:
                self._child.close()

    def _tell(self, op: str, **arguments: Any) -> None:
        """Something that is true already when the world has ended."""
        if not self._closed.is_set():
            with suppress(DeviceError):
                self.ask(op, **arguments)

    def _exchange(self, message: dict[str, Any], files: Sequence[int] = ()) -> Any:
        with self._lock:
            try:
                self._child.channel.send(message, files)
                answer = self._child.channel.receive()
            except Gone as error:
                raise DeviceError(f"world '{self.ref}' has ended", str(error), "start the run again") from error
        if "error" in answer:
            raise DeviceError(f"world '{self.ref}' cannot do that", answer["error"])
        return answer["ok"]

    def _move(self, clock: Clock) -> None:
        t = clock.now()
        while not self._closed.is_set():
            clock.sleep_until(t)
            try:
                # Stopping at the next picture too, so that a loop as fast as a camera sees every one of them.
                t = min(t + STEP_S, self.ask("step", t=t))
            except DeviceError:
                return
