"""What the seed changes in a picture: where the light comes from, its colour, the table's, and how a camera is mounted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .solids import Floats

CAMERA_SHIFT, CAMERA_TURN = 0.008, 0.015
"""Metres and radians, standard deviation of a camera's mounting."""


@dataclass(frozen=True)
class Look:
    """One attempt's appearance.

    Attributes:
        light: towards the light, unit length.
        ambient: brightness of a face turned away from it.
        tint: (3,) colour of the light.
        table: (3,) factor on the table's colour.
        wall: (3,) background colour, 0..255.
        mounts: camera -> (shift (3,) metres, turn (3,) radians about the camera's axes).
    """

    light: Floats
    ambient: float
    tint: Floats
    table: Floats
    wall: Floats
    mounts: dict[str, tuple[Floats, Floats]]

    @classmethod
    def of(cls, seed: int, cameras: tuple[str, ...]) -> Look:
        """The look of an attempt; the same seed gives the same picture."""
        rng = np.random.default_rng([seed, 7])
        azimuth, height = rng.uniform(-2.6, 2.6), rng.uniform(1.2, 2.2)
        light = np.array([np.cos(azimuth), np.sin(azimuth), height])
        warmth = rng.uniform(-0.05, 0.05)
        mounts = {name: (rng.normal(0, CAMERA_SHIFT, 3), rng.normal(0, CAMERA_TURN, 3)) for name in cameras}
        return cls(
            light=light / np.linalg.norm(light),
            ambient=float(rng.uniform(0.42, 0.58)),
            tint=rng.uniform(0.94, 1.06) * np.array([1 + warmth, 1.0, 1 - warmth]),
            table=rng.uniform(0.88, 1.08, 3),
            wall=np.array([128.0, 134.0, 142.0]) * rng.uniform(0.85, 1.1),
            mounts=mounts,
        )
