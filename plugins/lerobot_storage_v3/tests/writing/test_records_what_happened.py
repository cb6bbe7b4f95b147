"""Rows, pictures, tasks and labels as they were given to `add_frame`."""

from __future__ import annotations

import av
import numpy as np
import pyarrow.parquet as pq
import pytest
from lerobot_core.errors import StorageError
from lerobot_core.types import Timed
from lerobot_core.virtual_clock import VirtualClock
from lerobot_storage_v3 import layout


def test_rows_and_frames_come_back(bench):
    storage = bench.open()
    bench.record(storage, range(7), "success")
    bench.record(storage, range(7, 10), "failure")
    storage.finalize()
    bench.assert_holds(range(7), range(7, 10))
    reader = bench.reader()
    assert [episode.outcome for episode in reader.episodes] == ["success", "failure"]
    assert reader.tasks == ["pick"]


def test_action_is_what_was_sent_and_the_requested_one_is_beside_it(bench):
    storage = bench.open()
    bench.record(storage, range(4))
    row = bench.reader().frames(3)
    assert row["action"].tolist() == [3 / 8, 3 / 16]
    assert row["requested_action"].tolist() == [3 / 8 + 1, 3 / 16 + 1]


def test_extras_say_where_a_row_comes_from(bench):
    storage, rig = bench.open(), bench.rig
    storage.add_frame(rig.step(0, source="human"))
    late = rig.step(1, late=True, filtered=("range:pan.pos",), timed=Timed({}, 3, 42, 0.0, "place"))
    late.observation.flags.add("stale:front")
    storage.add_frame(late)
    assert storage.save_episode().wait(60)
    reader = bench.reader()
    first, second = reader.frames(0), reader.frames(1)
    assert (first["source"], bool(first["intervention"]), int(first["seq"]), first["flags"]) == ("human", True, -1, "")
    assert (int(second["seq"]), second["flags"]) == (42, "late,range:pan.pos,stale:front")
    assert second["task"] == "place"
    # Seconds since the first row, so that they compare with `timestamp`.
    assert [round(float(row["capture_time.wrist"]), 6) for row in (first, second)] == [-0.02, 0.08]


def test_a_buffer_may_be_used_again_at_once(bench):
    storage, rig = bench.open(), bench.rig
    buffers = {name: np.empty((rig.height, rig.width, 3), np.uint8) for name in rig.cameras}
    for index in range(6):
        step = rig.step(index)
        for name, buffer in buffers.items():
            buffer[:] = rig.picture(name, index)
            step.observation[name] = buffer
        storage.add_frame(step)
        for buffer in buffers.values():
            buffer[:] = 255
        step.sent.clear()
    assert storage.save_episode().wait(60)
    bench.assert_holds(range(6))


def test_pictures_need_not_be_contiguous_or_writable(bench):
    storage, rig = bench.open(), bench.rig
    step = rig.step(0)
    wide = np.zeros((rig.height, rig.width * 2, 3), np.uint8)
    wide[:, ::2] = rig.picture("front", 0)
    step.observation["front"] = wide[:, ::2]
    step.observation["wrist"].flags.writeable = False
    storage.add_frame(step)
    assert storage.save_episode().wait(60)
    bench.assert_holds(range(1))


def test_an_episode_of_one_frame(bench):
    storage = bench.open()
    bench.record(storage, range(1))
    bench.record(storage, range(1, 3))
    bench.assert_holds(range(1), range(1, 3))
    stats = bench.reader().stats["observation.images.front"]
    assert stats["mean"].shape == (3, 1, 1)


def test_tasks_get_numbers_in_order_of_appearance(bench):
    storage, rig = bench.open(), bench.rig
    for index, task in enumerate(("b", "a", "", "b")):
        storage.add_frame(rig.step(index, task=task))
    assert storage.save_episode().wait(60)
    reader = bench.reader()
    assert reader.tasks == ["b", "a", "a task"]
    assert [reader.frames(index)["task"] for index in range(4)] == ["b", "a", "a task", "b"]


def test_a_discarded_episode_leaves_nothing(bench):
    storage, rig = bench.open(), bench.rig
    for index in range(5):
        storage.add_frame(rig.step(index))
    storage.discard_episode()
    bench.record(storage, range(20, 23))
    storage.finalize()
    bench.assert_holds(range(20, 23))
    assert storage.stats()["discarded"] == 1


def test_no_extras_leaves_only_what_the_peer_knows(bench):
    storage = bench.open(extras="none")
    bench.record(storage, range(3), "success")
    info = layout.read_info(bench.root)
    known = ["action", "observation.state", "observation.images.front", "observation.images.wrist"]
    assert list(info.features)[:4] == known
    assert list(info.features)[4:] == ["timestamp", "frame_index", "episode_index", "index", "task_index"]
    assert "outcome" not in pq.read_schema(bench.root / layout.episodes_file(0, 0)).names


def test_a_dataset_without_cameras(bench, rig):
    bench.rig = rig(cameras=())
    storage = bench.open()
    bench.record(storage, range(5))
    bench.assert_holds(range(5))


def test_every_camera_is_readable_as_an_ordinary_mp4(bench):
    storage = bench.open()
    bench.record(storage, range(9))
    for path in bench.root.glob("videos/*/*/*.mp4"):
        with av.open(str(path)) as container:
            stream = container.streams.video[0]
            assert (stream.frames, stream.average_rate) == (9, 10)
            keys = [packet.is_keyframe for packet in container.demux(stream) if packet.size]
            assert keys == [True, False] * 4 + [True]


@pytest.mark.parametrize("codec", ["hevc", "av1"])
def test_other_codecs_by_name(bench, rig, codec):
    bench.rig = rig(cameras=("front",), height=64)
    storage = bench.open(codec=codec)
    bench.record(storage, range(8))
    bench.assert_holds(range(8))
    assert layout.read_info(bench.root).features["observation.images.front"]["info"]["video.codec"] == codec


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda step: step.observation.pop("front"), "'front'"),
        (lambda step: step.observation.update(extra=1.0), "'extra'"),
        (lambda step: step.sent.pop("pan.pos"), "'pan.pos'"),
        (lambda step: step.observation.update(front=np.zeros((10, 10, 3), np.uint8)), "(10, 10, 3)"),
        (lambda step: step.observation.update(front=np.zeros((48, 64, 3), np.float32)), "float32"),
        (lambda step: step.observation.update(front="picture"), "str"),
        (lambda step: step.observation.update({"pan.pos": "left"}), "left"),
    ],
)
def test_a_row_that_does_not_fit_is_refused_by_name(bench, change, said):
    storage, step = bench.open(), bench.rig.step(0)
    change(step)
    with pytest.raises(StorageError, match=said.replace("(", r"\(").replace(")", r"\)")):
        storage.add_frame(step)
    bench.record(storage, range(3))
    bench.assert_holds(range(3))


def test_there_is_nothing_to_save_without_rows(bench):
    storage = bench.open()
    with pytest.raises(StorageError, match="nothing to save"):
        storage.save_episode()


def test_the_summary_counts_what_was_saved(bench):
    storage = bench.open()
    bench.record(storage, range(4))
    bench.record(storage, range(6))
    storage.add_frame(bench.rig.step(6))
    storage.finalize()
    stats = storage.stats()
    assert (stats["episodes"], stats["frames"], stats["codec"]) == (2, 10, "libx264")
    assert stats["bytes"] > 0
    assert stats["save_ms"]["max"] >= stats["save_ms"]["p50"] > 0


@pytest.mark.parametrize(("codec", "cameras"), [("auto", ("front",)), ("png", ("front",)), ("auto", ())])
def test_a_continuous_recorder_is_told_when_a_file_is_full(bench, rig, codec, cameras):
    bench.rig, noise = rig(cameras, 240, 320), np.random.default_rng(0)
    clock = VirtualClock()
    storage = bench.open(clock=clock, codec=codec, crf=1, video_file_mb=1, data_file_mb=1)
    assert not storage.rotate_due()
    for index in range(20_000):
        step = bench.rig.step(index, task="a" * 500)
        step.observation.update({name: noise.integers(0, 256, (240, 320, 3), np.uint8) for name in cameras})
        storage.add_frame(step)
        clock.sleep_until(index / 10)
        if storage.rotate_due():
            break
    assert 2 < index < 10_000
    assert storage.save_episode().wait(60)
    assert not storage.rotate_due()


def test_nothing_is_left_beside_the_dataset(bench):
    storage = bench.open()
    bench.record(storage, range(3))
    storage.finalize()
    assert sorted(path.name for path in bench.root.iterdir()) == ["data", "meta", "videos"]
    assert not list(bench.root.rglob(".*"))


def test_a_run_that_records_nothing_leaves_no_dataset(bench):
    storage = bench.open()
    storage.finalize()
    assert not bench.root.exists()
