"""The scene in time: attempts that begin with a seed and end with the cube in the bin, or not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import mujoco
import numpy as np

from ..servo.drive import Drive
from . import scene
from .arm import JOINTS
from .mjcf import model_xml
from .plant import ArmPlant

_CUBE = len(JOINTS)
"""Where the cube's pose begins in qpos and its velocity in qvel: the arm comes first."""


class Scene:
    """Arm, table, cube and bin.

    Args:
        drives: the six servos' motors, in the order of `JOINTS`.
        seed: the first attempt's.
        auto_reset: begin the next attempt, with the next seed, as soon as one succeeds or has had its time.

    Attributes:
        attempts: the finished ones: seed, success, seconds.
        succeeded: the cube has been let go inside the bin and has lain at rest there, in time.
    """

    def __init__(self, drives: Sequence[Drive], seed: int = 0, auto_reset: bool = True) -> None:
        self.model = mujoco.MjModel.from_xml_string(model_xml())
        self.data = mujoco.MjData(self.model)
        self.data.qpos[:_CUBE] = np.radians([joint.rest for joint in JOINTS])
        mujoco.mj_forward(self.model, self.data)
        self.plant = ArmPlant(self.model, self.data, drives)
        self.auto_reset = auto_reset
        self.attempts: list[dict[str, Any]] = []
        self._drives = list(drives)
        self._cube = int(self.model.geom("cube").id)
        self._hand = {int(self.model.geom(name).id) for name in ("fixed_jaw", "moving_jaw")}
        self._static = {int(self.model.geom("table").id), *self._geoms_of("bin")}
        self.seed, self._attempt = seed, 0
        self._began: float | None = None
        self.succeeded = False
        self.reset(seed)

    @property
    def time(self) -> float:
        """Seconds of simulated time."""
        return float(self.data.time)

    @property
    def elapsed(self) -> float:
        """Seconds of the present attempt, which begins when a reset scene meets an arm with torque."""
        return 0.0 if self._began is None else self.time - self._began

    def reset(self, seed: int | None = None) -> None:
        """End the attempt and begin another: the cube goes where the seed says, the arm stays where it is.

        None means the seed after the present one.
        """
        if self._began is not None:
            self.attempts.append({"seed": self.seed, "success": self.succeeded, "seconds": round(self.elapsed, 3)})
        self.seed = self.seed + 1 if seed is None else seed
        self._attempt += 1
        self._began, self._rested, self.succeeded = None, 0.0, False
        rng = np.random.default_rng(self.seed)
        spot = np.array(scene.AREA_CENTER) + rng.uniform(-scene.AREA_HALF, scene.AREA_HALF, 2)
        yaw = np.radians(rng.uniform(-scene.MAX_YAW_DEG, scene.MAX_YAW_DEG))
        self.put_cube(float(spot[0]), float(spot[1]), float(yaw))

    def put_cube(self, x: float, y: float, yaw: float) -> None:
        """Lay the cube on the table; where the arm is in the way, above the arm."""
        pose = self.data.qpos[_CUBE : _CUBE + 7]
        pose[:] = x, y, scene.CUBE / 2, np.cos(yaw / 2), 0, 0, np.sin(yaw / 2)
        self.data.qvel[_CUBE:] = 0.0
        mujoco.mj_forward(self.model, self.data)
        while self._touching() - self._static:
            pose[2] += 0.01
            mujoco.mj_forward(self.model, self.data)

    def advance(self, dt: float) -> None:
        """Let `dt` seconds pass, then judge the attempt."""
        self.plant.advance(dt)
        if self._began is None and any(drive.torque for drive in self._drives):
            self._began = self.time
        self._rested = self._rested + dt if self._lies_in_bin() else 0.0
        in_time = self.elapsed < scene.ATTEMPT_S
        self.succeeded |= in_time and self._rested >= scene.REST_S
        if self.auto_reset and (self.succeeded or not in_time):
            self.reset()

    def truth(self) -> dict[str, Any]:
        """What no policy may see: where everything is."""
        data = self.data
        w, _, _, z = data.qpos[_CUBE + 3 : _CUBE + 7]
        grasp = data.site("grasp")
        return {
            "t": self.time,
            "seed": self.seed,
            "attempt": self._attempt,
            "elapsed": self.elapsed,
            "success": self.succeeded,
            "cube": data.qpos[_CUBE : _CUBE + 3].tolist(),
            "yaw": float(np.degrees(2 * np.arctan2(z, w))),
            "held": self._hand <= self._touching(),
            "grasp": grasp.xpos.tolist(),
            "joints": dict(zip((j.name for j in JOINTS), np.degrees(data.qpos[:_CUBE]).tolist(), strict=True)),
            "bin": list(scene.BIN_CENTER),
        }

    def _geoms_of(self, body: str) -> set[int]:
        first = int(self.model.body(body).geomadr[0])
        return set(range(first, first + int(self.model.body(body).geomnum[0])))

    def _touching(self) -> set[int]:
        """The geoms that touch the cube."""
        pairs = self.data.contact.geom[: self.data.ncon]
        return {int(geom) for pair in pairs if self._cube in pair for geom in pair} - {self._cube}

    def _lies_in_bin(self) -> bool:
        x, y, z = self.data.qpos[_CUBE : _CUBE + 3]
        inside = max(abs(x - scene.BIN_CENTER[0]), abs(y - scene.BIN_CENTER[1])) < scene.BIN_HALF
        if not inside or z > scene.BIN_HEIGHT:
            return False
        linear, angular = self.data.qvel[_CUBE : _CUBE + 3], self.data.qvel[_CUBE + 3 : _CUBE + 6]
        still = np.linalg.norm(linear) < scene.REST_SPEED and np.linalg.norm(angular) < 5 * scene.REST_SPEED
        return bool(still) and self._touching() <= self._static
