"""Convex solids as corners and faces, in the frame of their geom."""

from __future__ import annotations

import math
from typing import NamedTuple

import mujoco
import numpy as np
from numpy.typing import NDArray

SIDES = 10
"""Of a cylinder or capsule; at these distances more cannot be told apart."""
TOP = 5
"""Index of a box's upper face."""


class Solid(NamedTuple):
    """A convex body.

    Attributes:
        corners: (V, 3), metres.
        faces: corner indices, anticlockwise from outside.
    """

    corners: NDArray[np.float64]
    faces: list[list[int]]


def solid(kind: int, size: tuple[float, float, float]) -> Solid:
    """The polyhedron of one abstract geom; `size` as in `mjvGeom`.

    Raises:
        ValueError: a type this scene does not use.
    """
    if kind == mujoco.mjtGeom.mjGEOM_BOX:
        return _box(size)
    if kind == mujoco.mjtGeom.mjGEOM_CYLINDER:
        return _stack([(size[0], -size[2]), (size[0], size[2])])
    if kind == mujoco.mjtGeom.mjGEOM_CAPSULE:
        r, half = size[0], size[2]
        tip = 0.6 * r
        return _stack([(tip, -half - 0.8 * r), (r, -half), (r, half), (tip, half + 0.8 * r)])
    raise ValueError(f"a geom of type {kind} cannot be drawn")


def _box(size: tuple[float, float, float]) -> Solid:
    signs = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)], dtype=float)
    faces = [[0, 1, 3, 2], [4, 6, 7, 5], [0, 4, 5, 1], [2, 3, 7, 6], [0, 2, 6, 4], [1, 5, 7, 3]]
    return Solid(signs * np.array(size), faces)


def _stack(rings: list[tuple[float, float]]) -> Solid:
    """A body of revolution from (radius, z) rings, lowest first, closed at both ends."""
    angles = [math.tau * i / SIDES for i in range(SIDES)]
    corners = np.array([[r * math.cos(a), r * math.sin(a), z] for r, z in rings for a in angles])
    ends = [list(range(SIDES))[::-1], [(len(rings) - 1) * SIDES + i for i in range(SIDES)]]
    sides = [
        [ring * SIDES + i, ring * SIDES + (i + 1) % SIDES, (ring + 1) * SIDES + (i + 1) % SIDES, (ring + 1) * SIDES + i]
        for ring in range(len(rings) - 1)
        for i in range(SIDES)
    ]
    return Solid(corners, ends + sides)
