"""Pictures: what they show, in which order, how they change with the scene and the seed, and the memory they go through."""

from __future__ import annotations

import os

import mujoco
import numpy as np
import pytest
from lerobot_sim.camera.look import Look
from lerobot_sim.camera.order import painters_order
from lerobot_sim.camera.painter import Painter
from lerobot_sim.camera.process import VIEWS
from lerobot_sim.camera.shared import SLOTS, FrameRing, allocate
from lerobot_sim.camera.solids import Solids
from lerobot_sim.physics import scene
from lerobot_sim.physics.arm import JOINTS
from lerobot_sim.physics.mjcf import model_xml
from lerobot_sim.physics.world import Scene
from lerobot_sim.servo.drive import Drive
from numpy.typing import NDArray

Picture = NDArray[np.uint8]


@pytest.fixture
def made() -> Scene:
    return Scene([Drive() for _ in JOINTS], auto_reset=False)


def picture(made: Scene, view: str = "front", seed: int = 0, size: tuple[int, int] = (640, 480)) -> Picture:
    solids = Solids(made.model)
    solids.update(made.data)
    return Painter(made.model, *size).paint(solids, made.data, view, Look.of(seed, VIEWS))


def reds(image: Picture) -> NDArray[np.bool_]:
    """Where the cube is seen."""
    r, g, b = (image[..., i].astype(int) for i in range(3))
    return (r > 60) & (r > 2 * g) & (r > 2 * b)


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("size", [(640, 480), (320, 240)])
def test_pictures_have_the_asked_size(made: Scene, view: str, size: tuple[int, int]) -> None:
    image = picture(made, view, size=size)
    assert (image.shape, image.dtype) == ((size[1], size[0], 3), np.uint8)
    assert len(np.unique(image.reshape(-1, 3), axis=0)) > 10


def test_two_places_of_the_cube_are_two_pictures(made: Scene) -> None:
    made.put_cube(0.20, -0.05, 0.3)
    first = picture(made)
    made.put_cube(0.21, -0.05, 0.3)
    assert int(np.any(first != picture(made), axis=2).sum()) > 50


@pytest.mark.parametrize("spot", [(0.14, -0.08), (0.30, -0.09), (0.25, 0.08)])
def test_the_cube_is_seen_where_it_is(made: Scene, spot: tuple[float, float]) -> None:
    made.put_cube(*spot, 0.2)
    rows, columns = np.nonzero(reds(picture(made)))
    assert len(rows) > 100
    look = Look.of(0, VIEWS)
    shift, turn = look.mounts["front"]
    camera = made.data.cam("front")
    skew = np.array([[0, -turn[2], turn[1]], [turn[2], 0, -turn[0]], [-turn[1], turn[0], 0]])
    axes = camera.xmat.reshape(3, 3) @ (np.eye(3) + skew)
    local = axes.T @ (np.array([*spot, scene.CUBE / 2]) - camera.xpos - camera.xmat.reshape(3, 3) @ shift)
    focal = 240 / np.tan(np.radians(made.model.cam("front").fovy[0]) / 2)
    expected = 320 + focal * local[0] / -local[2], 240 - focal * local[1] / -local[2]
    assert (columns.mean(), rows.mean()) == pytest.approx(expected, abs=6)


def test_the_near_wall_hides_a_cube_in_the_bin_and_the_far_wall_does_not(made: Scene) -> None:
    x, y = scene.BIN_CENTER
    inside = scene.BIN_HALF - scene.CUBE / 2 - 0.002
    seen = {}
    for name, dx in (("near", inside), ("far", -inside)):
        made.put_cube(x + dx, y, 0.0)
        seen[name] = int(reds(picture(made)).sum())
    assert seen["far"] > 100
    assert seen["near"] < 0.7 * seen["far"]


def test_solids_behind_come_before_solids_in_front(made: Scene) -> None:
    solids = Solids(made.model)
    made.put_cube(0.30, 0.0, 0.0)
    solids.update(made.data)
    order = painters_order(solids, np.array([1.0, 0.0, 0.3]))
    assert sorted(order) == list(range(len(solids.centers)))
    base = int(np.argmin(np.linalg.norm(solids.centers - [-0.022, 0, 0.025], axis=1)))
    cube = int(np.argmin(np.linalg.norm(solids.centers - [0.30, 0, scene.CUBE / 2], axis=1)))
    assert order.index(base) < order.index(cube)
    other = painters_order(solids, np.array([-1.0, 0.0, 0.3]))
    assert other.index(cube) < other.index(base)


def test_the_seed_changes_light_and_mounting_and_nothing_else_does(made: Scene) -> None:
    assert np.array_equal(picture(made, seed=3), picture(made, seed=3))
    assert np.any(picture(made, seed=3) != picture(made, seed=4), axis=2).mean() > 0.5


def test_what_is_behind_the_lens_is_not_drawn(made: Scene) -> None:
    # The wrist camera's own housing and the forearm are behind it or cut by the near plane.
    image = picture(made, "wrist")
    assert image.shape == (480, 640, 3)
    assert int((image < 8).all(axis=2).sum()) < 0.5 * 640 * 480


def test_every_geom_of_the_model_can_be_drawn() -> None:
    model = mujoco.MjModel.from_xml_string(model_xml())
    assert len(Solids(model).centers) == model.ngeom


def test_a_ring_gives_the_newest_frame_in_a_buffer_of_its_own() -> None:
    fd = allocate(4, 6)
    writer, reader = FrameRing(fd, 4, 6), FrameRing(fd, 4, 6)
    os.close(fd)
    assert reader.read() is None
    for n in range(1, 2 * SLOTS + 2):
        writer.write(np.full((4, 6, 3), n, np.uint8), n / 10)
        shot = reader.read()
        assert shot is not None
        assert (shot.seq, shot.captured, int(shot.image[0, 0, 0])) == (n, n / 10, n)
    kept = reader.read()
    assert kept is not None
    for n in range(SLOTS):
        writer.write(np.full((4, 6, 3), 100 + n, np.uint8), 1.0)
    assert int(kept.image.max()) == 2 * SLOTS + 1
    writer.gone = True
    assert reader.gone
