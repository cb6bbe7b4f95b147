"""Everything in the world at one time: the scene, the arms, the cameras, and what can be asked of them."""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from ..physics.arm import JOINTS
from ..physics.world import Scene
from ..servo.drive import Drive
from ..servo.line import At
from ..servo.rig import Rig
from .cameras import Cameras
from .hardware import Wanted, is_so100, loose_arm, so100

LOG_LENGTH = 50_000
"""Writes of goals that are kept: half an hour at 30 Hz, 35 MB."""
BEHIND_S = 0.25
"""A world that falls behind by more than this lets the time pass unlived, and counts it."""


class HostWorld:
    """One world.

    Args:
        seed, auto_reset: as for `Scene`.
        now: the run's clock at the beginning, seconds.
        at: calls a function at a time; None on a clock that somebody else moves.
    """

    def __init__(self, seed: int, auto_reset: bool, now: float, at: At | None) -> None:
        self._drives = [Drive() for _ in JOINTS]
        self._scene = Scene(self._drives, seed, auto_reset)
        self._rigs: list[Rig] = [so100(self._drives, self._scene.plant)]
        self._wanted: list[tuple[str, dict[str, Wanted]] | None] = [None]
        self.cameras = Cameras(self._state, wait=at is None)
        self.now, self._at = now, at
        self._goals: deque[dict[str, Any]] = deque(maxlen=LOG_LENGTH)
        self._lost_s = 0.0
        self._listen(self._rigs[0])
        self.answers: dict[str, Callable[..., Any]] = {
            "close_camera": self.cameras.remove,
            "reset": self._scene.reset,
            "success": lambda: self._scene.succeeded,
            "truth": self._scene.truth,
            "attempts": lambda: self._scene.attempts,
            "log": lambda: list(self._goals),
            "fault": self.fault,
            "hands": self.hands,
            "stats": self.stats,
        }

    def advance(self, now: float) -> None:
        """Let time pass until `now`: hands, physics, servos."""
        dt = now - self.now
        if dt <= 0:
            return
        if self._at is not None and dt > BEHIND_S:
            self._lost_s, dt = self._lost_s + dt - BEHIND_S, BEHIND_S
        self.now = now
        for index, rig in enumerate(self._rigs):
            rig.tick(dt, now)
            if not rig.hands.move(now):
                moves = self._scene if index == 0 else rig.plant
                moves.advance(dt)

    def open_port(self, protocol: str, motors: dict[str, list[Any]]) -> dict[str, Any]:
        """A serial port with these motors: the scene's arm when they are its, else loose servos.

        An arm that was reached before is the same arm, as it was left. Returns the arm's number, the port's `path`
        and the `fd` where the driver's bytes arrive.
        """
        wanted = {name: Wanted(*motor) for name, motor in motors.items()}
        index = self._free(protocol, wanted)
        if index is None:
            rig = loose_arm(protocol, wanted)
            self._rigs.append(rig)
            self._wanted.append((protocol, wanted))
            self._listen(rig)
            index = len(self._rigs) - 1
        port = self._rigs[index].open(self._at)
        return {"rig": index, "path": port.path, "fd": port.fileno()}

    def rig(self, index: int) -> Rig:
        """By its number."""
        return self._rigs[index]

    def fault(self, kind: str, **options: Any) -> None:
        """Break something; `clear` mends what can be mended. Motors are the scene's arm's.

        Raises:
            ValueError: an unknown kind, motor or option.
        """
        if kind == "clear":
            self.cameras.heal()
            for rig in self._rigs:
                rig.heal()
        elif kind in ("frozen", "missing"):
            self.cameras.fault(kind, self.now, **options)
        else:
            self._rigs[0].fault(kind, self.now, **options)

    def hands(self, what: str) -> float:
        """Take every arm that is plugged in; returns how many seconds it takes.

        Raises:
            ValueError: hands cannot do that.
        """
        return max((rig.hands.take(what, self.now) for rig in self._rigs if rig.port is not None), default=0.0)

    def stats(self) -> dict[str, Any]:
        """CPU seconds of the world's processes, simulated seconds, and what the wire would have taken."""
        lines = [rig.line for rig in self._rigs if rig.line is not None]
        return {
            "cpu_s": time.process_time() + self.cameras.cpu_s,
            "sim_s": self._scene.time,
            "lost_s": self._lost_s,
            "wire_s": sum(line.wire_s for line in lines),
            "requests": sum(line.requests for line in lines),
            "frames_skipped": self.cameras.skipped,
            "pid": os.getpid(),
        }

    def close(self) -> None:
        """Pull every cable."""
        for rig in self._rigs:
            rig.close()
        self.cameras.close()

    def _free(self, protocol: str, wanted: dict[str, Wanted]) -> int | None:
        for index, rig in enumerate(self._rigs):
            ours = is_so100(protocol, wanted) if index == 0 else self._wanted[index] == (protocol, wanted)
            if ours and rig.port is None:
                return index
        return None

    def _listen(self, rig: Rig) -> None:
        for servo in rig.servos.values():
            servo.on_goal = self._log_goal

    def _log_goal(self, motor: str, goal: int) -> None:
        """Goals that one packet brings share an entry."""
        if not self._goals or self._goals[-1]["t"] != self.now or motor in self._goals[-1]["goals"]:
            self._goals.append({"t": self.now, "goals": {}})
        self._goals[-1]["goals"][motor] = goal

    def _state(self) -> dict[str, Any]:
        return {"qpos": self._scene.data.qpos.tolist(), "seed": self._scene.seed}
