"""One picture: solids seen from a camera, lit, sorted and filled."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import mujoco
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from .look import Look
from .order import painters_order
from .shapes import TOP
from .solids import Floats, Solids

NEAR = 0.015
"""Metres; what is nearer to the lens is cut off."""
SHADE = 0.62
"""Brightness of the table where it lies in shadow."""


class Eye(NamedTuple):
    """A pinhole: where it is, its axes as columns (right, up, backwards), and its focal length in pixels."""

    position: Floats
    axes: Floats
    focal: float


class Painter:
    """Draws one model.

    Args:
        model: the scene.
        width, height: of the picture, pixels.
    """

    def __init__(self, model: mujoco.MjModel, width: int, height: int) -> None:
        self._model, self._size = model, (width, height)
        self._look: Look | None = None

    def paint(self, solids: Solids, data: mujoco.MjData, camera: str, look: Look) -> NDArray[np.uint8]:
        """The picture of `camera`, uint8 (H, W, 3) RGB."""
        eye = self._eye(data, camera, look)
        image = self._background(look).copy()
        draw = ImageDraw.Draw(image)
        picture = _Picture(solids.points, eye, self._size)
        colors = _shaded(solids, look)
        seen = np.einsum("fi,fi->f", solids.normals, eye.position - solids.points[solids.anchor]) > 0
        order = painters_order(solids, eye.position)
        flat = int(np.count_nonzero(solids.layer < 2))
        for one in order[:flat]:
            _fill(draw, picture, solids, one, seen, colors)
        shadows = _Picture(_fallen(solids.points, look.light), eye, self._size)
        _shadows(draw, shadows, solids, look, colors)
        for one in order[flat:]:
            _fill(draw, picture, solids, one, seen, colors)
        return np.asarray(image)

    def _eye(self, data: mujoco.MjData, camera: str, look: Look) -> Eye:
        shift, turn = look.mounts[camera]
        axes = data.cam(camera).xmat.reshape(3, 3) @ _small_turn(turn)
        position = data.cam(camera).xpos + axes @ shift
        fovy = np.radians(self._model.cam(camera).fovy[0])
        return Eye(position, axes, float(self._size[1] / 2 / np.tan(fovy / 2)))

    def _background(self, look: Look) -> Image.Image:
        """A wall, darker towards its foot; the same for a whole attempt."""
        if look is not self._look:
            width, height = self._size
            fade = np.linspace(1.05, 0.75, height)[:, None, None]
            rows = np.clip(look.wall * look.tint * fade, 0, 255).astype(np.uint8)
            self._wall = Image.fromarray(np.ascontiguousarray(np.broadcast_to(rows, (height, width, 3))))
            self._look = look
        return self._wall


class _Picture:
    """Points (V, 3) projected into pixels."""

    def __init__(self, points: Floats, eye: Eye, size: tuple[int, int]) -> None:
        self._eye, self._size = eye, size
        self._local = (points - eye.position) @ eye.axes
        self._near = self._local[:, 2] > -NEAR
        self._pixels: list[tuple[float, float]] = [(x, y) for x, y in self._project(self._local).tolist()]

    def outline(self, face: Sequence[int]) -> list[tuple[float, float]]:
        """A face's corners in pixels, cut at the near plane; fewer than three when nothing is left."""
        if not any(self._near[i] for i in face):
            return [self._pixels[i] for i in face]
        return [(x, y) for x, y in self._project(_cut(self._local[list(face)])).tolist()]

    def _project(self, local: Floats) -> Floats:
        depth = np.maximum(-local[:, 2:], NEAR * 0.999)
        flat = local[:, :2] * np.array([1.0, -1.0]) * (self._eye.focal / depth)
        return np.asarray(flat + np.array(self._size) / 2)


def _cut(corners: Floats) -> Floats:
    """A polygon cut at the near plane (Sutherland and Hodgman, 1974)."""
    kept: list[Floats] = []
    for here, there in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        inside, next_inside = here[2] <= -NEAR, there[2] <= -NEAR
        if inside:
            kept.append(here)
        if inside != next_inside:
            share = (-NEAR - here[2]) / (there[2] - here[2])
            kept.append(here + share * (there - here))
    return np.array(kept).reshape(-1, 3)


def _small_turn(turn: Floats) -> Floats:
    x, y, z = turn
    return np.array([[1, -z, y], [z, 1, -x], [-y, x, 1]])


def _shaded(solids: Solids, look: Look) -> list[tuple[int, int, int]]:
    """The colour of each face: Lambert's law and an ambient share."""
    facing = np.clip(solids.normals @ look.light, 0, 1)
    brightness = look.ambient + (1 - look.ambient) * facing
    base = solids.colors * np.where(solids.layer[:, None] < 1, look.table, 1.0)
    rgb = np.clip(255 * base[solids.owner] * brightness[:, None] * look.tint, 0, 255).astype(int).tolist()
    return [(r, g, b) for r, g, b in rgb]


def _fill(
    draw: ImageDraw.ImageDraw,
    picture: _Picture,
    solids: Solids,
    one: int,
    seen: NDArray[np.bool_],
    colors: list[tuple[int, int, int]],
) -> None:
    for face in range(solids.first[one], solids.first[one + 1]):
        if seen[face]:
            _polygon(draw, picture.outline(solids.faces[face]), colors[face])


def _fallen(points: Floats, light: Floats) -> Floats:
    """Where the shadows of points lie on the table."""
    return np.asarray(points - points[:, 2:] * light / light[2])


def _shadows(
    draw: ImageDraw.ImageDraw, picture: _Picture, solids: Solids, look: Look, colors: list[tuple[int, int, int]]
) -> None:
    """Darken the table where standing solids keep the light from it: the shadow of each face that is lit."""
    table = int(np.flatnonzero(solids.layer == 0)[0])
    red, green, blue = colors[int(solids.first[table]) + TOP]
    dark = (int(red * SHADE), int(green * SHADE), int(blue * SHADE))
    casting = (solids.normals @ look.light > 0) & (solids.layer[solids.owner] == 2)
    for face in np.flatnonzero(casting).tolist():
        _polygon(draw, picture.outline(solids.faces[face]), dark)


def _polygon(draw: ImageDraw.ImageDraw, outline: list[tuple[float, float]], color: tuple[int, int, int]) -> None:
    if len(outline) > 2:
        draw.polygon(outline, fill=color)
