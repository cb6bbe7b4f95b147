"""Every solid of the scene, in world coordinates, as arrays that are updated all at once."""

from __future__ import annotations

import mujoco
import numpy as np
from numpy.typing import NDArray

from .shapes import solid

FLAT = 0.001
"""A geom thinner than this (half, metres) lies on the table: it is painted before everything that stands."""

Floats = NDArray[np.float64]


class Solids:
    """The abstract scene of `mjv_updateScene`, which needs no window, as polyhedra.

    Attributes:
        points: (V, 3) corners in the world.
        faces: corner indices of each face.
        owner: (F,) the solid each face belongs to.
        first, starts: where each solid's faces and corners begin.
        normals: (F, 3) outward, unit length.
        centers: (G, 3) of the solids.
        colors: (G, 3), 0..1.
        layer: (G,) 0 the table, 1 what lies flat on it, 2 what stands.
    """

    def __init__(self, model: mujoco.MjModel) -> None:
        self._model = model
        self._scene = mujoco.MjvScene(model, maxgeom=200)
        self._option, self._camera = mujoco.MjvOption(), mujoco.MjvCamera()
        data = mujoco.MjData(model)
        mujoco.mj_forward(model, data)
        self._collect(data)
        self.update(data)

    def update(self, data: mujoco.MjData) -> None:
        """Take poses from `data`, whose kinematics must be up to date."""
        poses = self._poses(data)
        self.centers = np.array([geom.pos for geom in poses], dtype=np.float64)
        turns = np.array([geom.mat for geom in poses], dtype=np.float64)
        self.points = np.einsum("vij,vj->vi", turns[self._of_corner], self._corners) + self.centers[self._of_corner]
        self.normals = np.einsum("fij,fj->fi", turns[self.owner], self._normals)

    def _poses(self, data: mujoco.MjData) -> list[mujoco.MjvGeom]:
        everything = mujoco.mjtCatBit.mjCAT_ALL
        mujoco.mjv_updateScene(self._model, data, self._option, None, self._camera, everything, self._scene)
        geoms = (self._scene.geoms[i] for i in range(self._scene.ngeom))
        return [geom for geom in geoms if geom.objtype == mujoco.mjtObj.mjOBJ_GEOM]

    def _collect(self, data: mujoco.MjData) -> None:
        geoms = self._poses(data)
        bodies = [solid(geom.type, tuple(geom.size)) for geom in geoms]
        counts = [len(body.corners) for body in bodies]
        self.starts = np.cumsum([0, *counts[:-1]])
        self._of_corner = np.repeat(np.arange(len(bodies)), counts)
        self._corners = np.concatenate([body.corners for body in bodies])
        self.faces = [
            [int(start) + i for i in face] for start, b in zip(self.starts, bodies, strict=True) for face in b.faces
        ]
        self.owner = np.repeat(np.arange(len(bodies)), [len(body.faces) for body in bodies])
        self.first = np.searchsorted(self.owner, np.arange(len(bodies) + 1))
        self.anchor = np.array([face[0] for face in self.faces])
        a, b, c = (self._corners[[face[i] for face in self.faces]] for i in (0, 1, 2))
        normals = np.cross(b - a, c - b)
        self._normals = normals / np.linalg.norm(normals, axis=1, keepdims=True)
        self.colors = np.array([geom.rgba[:3] for geom in geoms], dtype=np.float64)
        self.layer = np.array([_layer(geom) for geom in geoms])


def _layer(geom: mujoco.MjvGeom) -> int:
    if geom.pos[2] < 0:
        return 0
    return 1 if geom.size[2] < FLAT and geom.type == mujoco.mjtGeom.mjGEOM_BOX else 2
