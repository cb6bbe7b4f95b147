"""Codec `png`: pictures without loss, in the rows instead of a video."""

from __future__ import annotations

import numpy as np
import pytest
from lerobot_core.errors import StorageError
from lerobot_storage_v3 import layout
from lerobot_storage_v3.faults import Fail
from lerobot_storage_v3.repair import repair


def test_they_come_back_bit_for_bit(bench, rig):
    bench.rig = rig(height=47, width=33)  # no encoder to ask for even sides
    storage, dice = bench.open(codec="png"), np.random.default_rng(0)
    noise = [dice.integers(0, 256, (47, 33, 3), dtype=np.uint8) for _ in range(5)]
    for index, picture in enumerate(noise):
        step = bench.rig.step(index)
        step.observation["front"] = picture
        storage.add_frame(step)
    assert storage.save_episode().wait(60)
    bench.record(storage, range(5, 8))
    storage.finalize()
    info, reader = layout.read_info(bench.root), bench.reader()
    assert (info.video_path, info.features["observation.images.front"]["dtype"]) == (None, "image")
    assert not (bench.root / "videos").exists()
    for index, picture in enumerate(noise):
        assert np.array_equal(reader.frames(index)["observation.images.front"], picture)
    assert [episode.length for episode in reader.episodes] == [5, 3]
    assert repair(bench.root) == []


def test_an_unfinished_episode_is_brought_back(bench):
    storage = bench.open(codec="png", faults=Fail("save.sync", 1))
    bench.record(storage, range(3))
    for index in range(3, 9):
        storage.add_frame(bench.rig.step(index))
    assert not storage.save_episode().wait(60)
    with pytest.raises(StorageError, match="the disk is full"):
        storage.finalize()
    repair(bench.root)
    bench.assert_holds(range(3), range(3, 9))


def test_the_ring_holds_them_too(bench):
    storage = bench.open(codec="png")
    storage.buffer(1.0, 10_000_000)
    for index in range(25):
        storage.add_frame(bench.rig.step(index))
    storage.commit_buffer()
    bench.record(storage, range(25, 27))
    bench.assert_holds(range(15, 27))


def test_a_dataset_is_either_one_or_the_other(bench):
    storage = bench.open(codec="png")
    bench.record(storage, range(3))
    storage.finalize()
    with pytest.raises(StorageError, match=r"--dataset\.codec png"):
        bench.open(resume=True)
    bench.record(storage := bench.open(resume=True, codec="png"), range(3, 5))
    bench.assert_holds(range(3), range(3, 5))
