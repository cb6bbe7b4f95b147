"""What the person does: look, reach, close, lift, carry, let go, and try again when it slipped."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ..physics import arm, scene
from .kinematics import Angles, Grip, closing_yaw, reach
from .motion import Reach, Tremor

JOINTS = tuple(joint.name for joint in arm.JOINTS)
OPEN, CLOSED = 8.0, -46.0
"""The gripper's angle (degrees, zero half open) for approaching and for holding; the cube stops it near -33."""
ABOVE, AT, LIFTED, OVER_BIN = 0.085, 0.019, 0.115, 0.105
"""Heights of the grasp point, metres."""
CLEARANCE = 0.006
"""Metres left between the fixed jaw and the cube on the way down."""
SPEED = 75.0
"""Degrees a second of the joint that has farthest to go, on average over a reach."""
PATIENCE_S = 0.6
"""How long the person waits for a lagging arm before going on."""
NEAR, LOW = 0.03, (0.05, 0.10)
"""A stroll near the cube: how far from it, standard deviation, and between which heights; metres."""
FAR, WAY_DEG, HIGH = (0.14, 0.31), (-35.0, 75.0), (0.06, 0.16)
"""A stroll anywhere: distance (metres) and direction from the base, and heights."""
OFF_THE_TABLE = 0.05
"""Height of a cube that has been lifted, metres."""
STRAY_DEG, STRAY_S = 25.0, 1.0
"""An arm this far from where she wants it, for so long, is not hers to move."""

Truth = Mapping[str, Any]


class Person:
    """One operator at work. Call `act` at any rate.

    Args:
        seed: of everything that is left to chance.
        clumsiness: factor on aim errors, tremor and pauses; 1 is usual, 0 a machine.
        wander: share of attempts that begin with the hand moving somewhere else.
    """

    def __init__(self, seed: int = 0, clumsiness: float = 1.0, wander: float = 0.0) -> None:
        self._rng = np.random.default_rng([seed, 11])
        self._wander = wander
        self._clumsy = clumsiness
        self._tremor = Tremor(JOINTS, clumsiness, self._rng)
        self._lean: Angles = dict.fromkeys(JOINTS, 0.0)
        self._attempt: int | None = None
        self._t = self._astray = 0.0
        self._steps: list[Callable[[Truth], Reach]] = []
        self._reach: Reach | None = None

    def act(self, truth: Truth) -> Angles:
        """Where the person wants each joint now, degrees."""
        t, joints = float(truth["t"]), truth["joints"]
        if self._reach is None:
            self._t, self._reach = t, Reach(dict(joints), dict(joints), t, 1e-3)
        dt, self._t = t - self._t, t
        if truth["attempt"] != self._attempt:
            self._attempt = truth["attempt"]
            self._begin(truth)
        if self._strayed(t, joints, dt):
            self._reach = Reach(dict(joints), dict(joints), t, 1e-3)
            self._begin(truth)
        if self._arrived(t, joints):
            self._reach = self._next(truth)
        wanted = self._reach.at(t)
        self._watch(wanted, joints, dt)
        shake = self._tremor.step(dt)
        return {name: wanted[name] + self._lean[name] + shake[name] for name in JOINTS}

    def _begin(self, truth: Truth) -> None:
        """All steps, or those that are left of somebody else's work."""
        self._steps = [self._approach, self._descend, self._close, self._lift, self._carry, self._drop, self._leave]
        if truth["held"] and truth["cube"][2] > OFF_THE_TABLE:
            self._steps = self._steps[4:]
        elif self._wander and self._rng.random() < self._wander:
            self._steps.insert(0, self._stroll)

    def _strayed(self, t: float, joints: Angles, dt: float) -> bool:
        """The arm has not followed for a while: somebody else moves it, and she begins afresh from where it is."""
        assert self._reach is not None
        wanted = self._reach.at(t)
        far = max(abs(wanted[name] - joints[name]) for name in JOINTS[:-1]) > STRAY_DEG
        self._astray = self._astray + dt if far else 0.0
        return self._astray > STRAY_S

    def _arrived(self, t: float, joints: Angles) -> bool:
        assert self._reach is not None
        if not self._reach.over(t):
            return False
        late = t - self._reach.began - self._reach.seconds > PATIENCE_S
        body = JOINTS[:-1]
        return late or all(abs(self._reach.end[name] - joints[name]) < 2.0 for name in body)

    def _next(self, truth: Truth) -> Reach:
        """The next movement; idle at the end of the list until another attempt begins."""
        if self._steps:
            return self._steps.pop(0)(truth)
        assert self._reach is not None
        return Reach(self._reach.end, self._reach.end, float(truth["t"]), 0.2)

    def _watch(self, wanted: Angles, joints: Angles, dt: float) -> None:
        """Lean against the arm's sag, as one does who looks at the gripper and not at the leader."""
        for name in JOINTS[:-1]:
            lean = self._lean[name] + 1.5 * dt * (wanted[name] - joints[name])
            self._lean[name] = min(max(lean, -4.0), 4.0)

    # --- the steps: each looks, then answers with one movement -------------------------------------------------------

    def _stroll(self, truth: Truth) -> Reach:
        """Somewhere else, half of the time near the cube: where a policy that erred may find itself."""
        rng = self._rng
        if rng.random() < 0.5:
            (x, y), turn = rng.normal(truth["cube"][:2], NEAR), rng.uniform(-20, 20)
            grip = Grip(x, y, rng.uniform(*LOW), truth["yaw"] + turn)
        else:
            far, way = rng.uniform(*FAR), math.radians(rng.uniform(*WAY_DEG))
            grip = Grip(far * math.cos(way), far * math.sin(way), rng.uniform(*HIGH), rng.uniform(-45, 45))
        return self._go(truth, reach(grip), rng.choice((OPEN, CLOSED)))

    def _approach(self, truth: Truth) -> Reach:
        return self._go(truth, self._over_cube(truth, ABOVE, 0.006), OPEN)

    def _descend(self, truth: Truth) -> Reach:
        return self._go(truth, self._over_cube(truth, AT, 0.0025), OPEN, pause=0.15)

    def _close(self, truth: Truth) -> Reach:
        return self._go(truth, None, CLOSED, pause=0.1, seconds=0.45)

    def _lift(self, truth: Truth) -> Reach:
        x, y, _ = truth["grasp"]
        return self._go(truth, self._grip(x, y, LIFTED, 0.004), CLOSED, pause=0.15)

    def _carry(self, truth: Truth) -> Reach:
        if truth["cube"][2] < OFF_THE_TABLE:
            return self._retry(truth)
        x, y = truth["bin"]
        return self._go(truth, self._grip(x, y, OVER_BIN, 0.008), CLOSED)

    def _drop(self, truth: Truth) -> Reach:
        if math.dist(truth["cube"][:2], truth["bin"]) > scene.BIN_HALF:
            return self._retry(truth)
        return self._go(truth, None, OPEN, pause=0.2, seconds=0.35)

    def _leave(self, truth: Truth) -> Reach:
        x, y = truth["bin"]
        return self._go(truth, self._grip(0.8 * x, 0.8 * y, LIFTED + 0.03, 0.01), OPEN, pause=0.3)

    def _retry(self, truth: Truth) -> Reach:
        """It slipped: open above where the cube is now and start over."""
        self._begin(truth)
        return self._steps.pop(0)(truth)

    # --- aiming ------------------------------------------------------------------------------------------------------

    def _over_cube(self, truth: Truth, height: float, error: float) -> Angles | None:
        """Jaws around the cube, the fixed one `CLEARANCE` from its side."""
        x, y, _ = truth["cube"]
        angles = reach(Grip(x, y, height, truth["yaw"]))
        if angles is None:
            return None
        # Seen from the hand's axis the cube's middle must lie this far along the closing direction.
        ahead = arm.FIXED_PAD_Y - scene.CUBE / 2 - CLEARANCE
        closing = math.radians(closing_yaw(angles))
        shifted = (x - ahead * math.cos(closing), y - ahead * math.sin(closing))
        return self._grip(*shifted, height, error, truth["yaw"])

    def _grip(self, x: float, y: float, z: float, error: float, yaw: float | None = None) -> Angles | None:
        dx, dy, dz = self._rng.normal(0.0, error * self._clumsy, 3)
        turn = self._rng.normal(0.0, 400.0 * error * self._clumsy)
        return reach(Grip(x + dx, y + dy, z + abs(dz) / 2, None if yaw is None else yaw + turn))

    def _go(
        self, truth: Truth, body: Angles | None, gripper: float, pause: float = 0.05, seconds: float | None = None
    ) -> Reach:
        """A movement to `body` (None: stay) and `gripper`, after a moment's pause."""
        assert self._reach is not None
        start = self._reach.end
        end = {**start, **(body or {}), "gripper": gripper + self._rng.normal(0.0, 1.0 * self._clumsy)}
        farthest = max(abs(end[name] - start[name]) for name in JOINTS)
        hurry = self._rng.uniform(1.0 - 0.2 * self._clumsy, 1.0 + 0.25 * self._clumsy)
        lasting = seconds or max(0.35, farthest / SPEED) * hurry
        waited = pause * self._rng.uniform(0.6, 1.6) * self._clumsy
        return Reach(start, end, float(truth["t"]) + waited, lasting)
