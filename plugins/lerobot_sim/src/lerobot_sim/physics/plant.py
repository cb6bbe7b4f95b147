"""The arm's shafts in MuJoCo: what the servos ask of them, and what their encoders then measure."""

from __future__ import annotations

from collections.abc import Sequence

import mujoco
import numpy as np

from ..servo.drive import Drive
from .arm import JOINTS, STALL_TORQUE, STEPS_A_RADIAN, TOP_SPEED

KP, KV = 25.0, 1.4
"""N·m/rad and N·m·s/rad at the customary gain: the arm sags by a degree or so, as real ones do."""
UNLIMITED = 1e6
"""rad/s² that stands for no limit: infinity times no distance would be NaN."""
FRICTION_ON, FRICTION_OFF = 0.06, 0.25
"""N·m of dry friction. The gearbox of a motor without torque holds a folded arm; a driven one hardly notices."""


class ArmPlant:
    """Six position servos. Drives come in the order of `JOINTS`, which is the model's.

    Args:
        model, data: the scene; the plant alone writes actuators and advances time.
        drives: one a joint.
    """

    def __init__(self, model: mujoco.MjModel, data: mujoco.MjData, drives: Sequence[Drive]) -> None:
        self._model, self._data, self._drives = model, data, list(drives)
        self._count = len(self._drives)
        self._zero = np.array([joint.encoder(0.0) for joint in JOINTS])
        self._limit = np.array([joint.limit for joint in JOINTS])
        self._dofs = [int(model.joint(joint.name).dofadr[0]) for joint in JOINTS]
        self._at = data.qpos[: self._count].copy()
        self._pace = np.zeros(self._count)
        self._owed = 0.0
        self.advance(0.0)

    def advance(self, dt: float) -> None:
        """Step physics through `dt` seconds; what is less than a time step is owed to the next call."""
        if any(drive.changed for drive in self._drives):
            self._take_over()
        self._owed += dt
        step = self._model.opt.timestep
        # A picosecond of rounding must not cost a step.
        while self._owed >= step - 1e-12:
            self._aim(step)
            mujoco.mj_step(self._model, self._data)
            self._owed -= step
        self.measure()

    def place(self, share: Sequence[float]) -> None:
        """Put the shafts somewhere, as a person's hands do; physics stands still meanwhile."""
        self._data.qpos[: self._count] = np.clip(share, -1.0, 1.0) * self._limit
        self._data.qvel[: self._count] = 0.0
        mujoco.mj_forward(self._model, self._data)
        self._at, self._pace = self._data.qpos[: self._count].copy(), np.zeros(self._count)
        self.measure()

    def measure(self) -> None:
        """Fill in what encoders and current sensors say."""
        data = self._data
        positions = (data.qpos[: self._count] * STEPS_A_RADIAN + self._zero).tolist()
        velocities = (data.qvel[: self._count] * STEPS_A_RADIAN).tolist()
        efforts = (data.actuator_force / STALL_TORQUE).tolist()
        for drive, position, velocity, effort in zip(self._drives, positions, velocities, efforts, strict=True):
            drive.position, drive.velocity, drive.effort = position, velocity, effort

    def _take_over(self) -> None:
        """Read what the servos have changed into arrays and into the model's actuators."""
        model, drives = self._model, self._drives
        on = np.array([drive.torque for drive in drives])
        self._goal = np.clip((np.array([d.goal for d in drives]) - self._zero) / STEPS_A_RADIAN, -10, 10)
        self._speed = np.minimum(np.array([d.speed for d in drives]) / STEPS_A_RADIAN, TOP_SPEED)
        self._acceleration = np.minimum(np.array([d.acceleration for d in drives]) / STEPS_A_RADIAN, UNLIMITED)
        gain = np.array([d.gain for d in drives]) * on
        model.actuator_gainprm[:, 0] = KP * gain
        model.actuator_biasprm[:, 1] = -KP * gain
        model.actuator_biasprm[:, 2] = -KV * np.sqrt(gain)
        force = np.array([d.limit for d in drives]) * STALL_TORQUE
        model.actuator_forcelimited[:] = 1
        model.actuator_forcerange[:] = np.stack([-force, force], axis=1)
        model.dof_frictionloss[self._dofs] = np.where(on, FRICTION_ON, FRICTION_OFF)
        self._on = on
        for drive in drives:
            drive.changed = False

    def _aim(self, dt: float) -> None:
        """Move the set points towards the goals, no faster and with no more acceleration than the servos allow."""
        left = self._goal - self._at
        far = np.abs(left)
        pace = np.minimum(self._speed, np.minimum(far / dt, np.sqrt(2 * self._acceleration * far)))
        change = self._acceleration * dt
        pace = np.minimum(np.maximum(np.copysign(pace, left), self._pace - change), self._pace + change)
        still = self._data.qpos[: self._count]
        self._at = np.where(self._on, self._at + pace * dt, still)
        self._pace = np.where(self._on, pace, 0.0)
        self._data.ctrl[:] = self._at
