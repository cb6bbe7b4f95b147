"""Compaction: fewer files, the same rows and frames, not one of them encoded again."""

from __future__ import annotations

import itertools

import av
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lerobot_core.errors import StorageError
from lerobot_core.virtual_clock import VirtualClock
from lerobot_storage_v3 import layout
from lerobot_storage_v3.compact import compact
from lerobot_storage_v3.merge_plan import Piece, pack, tail
from lerobot_storage_v3.repair import repair


def files(bench):
    return sorted(str(path.relative_to(bench.root)) for path in bench.root.glob("[dv]*/**/file-*"))


def packets(bench, camera):
    found = []
    for path in sorted((bench.root / "videos" / f"observation.images.{camera}").glob("*/*.mp4")):
        with av.open(str(path)) as container:
            found += [bytes(packet) for packet in container.demux(container.streams.video[0]) if packet.size]
    return found


def record(bench, lengths, **options):
    storage = bench.open(**options)
    start, spans = 0, []
    for length in lengths:
        bench.record(storage, range(start, start + length), "success" if length % 2 else "failure")
        spans.append(range(start, start + length))
        start += length
    storage.finalize()
    return spans


def test_every_packet_is_the_one_that_was_recorded(bench):
    spans = record(bench, (4, 1, 5, 2, 3))
    before = {camera: packets(bench, camera) for camera in bench.rig.cameras}
    stats = (bench.root / layout.STATS).read_bytes()
    assert compact(bench.root) == {"files_before": 20, "files_after": 4}
    assert {camera: packets(bench, camera) for camera in bench.rig.cameras} == before
    assert (bench.root / layout.STATS).read_bytes() == stats
    bench.assert_holds(*spans)
    assert [episode.outcome for episode in bench.reader().episodes] == [
        "failure",
        "success",
        "success",
        "failure",
        "success",
    ]
    assert repair(bench.root) == []
    assert compact(bench.root) == {"files_before": 4, "files_after": 4}


def test_one_row_group_stays_one_episode(bench):
    record(bench, (4, 1, 5), compact=True)
    data = pq.ParquetFile(bench.root / "data/chunk-000/file-000.parquet")
    assert [data.metadata.row_group(group).num_rows for group in range(3)] == [4, 1, 5]
    assert b"huggingface" in data.schema_arrow.metadata


def test_it_goes_on_behind_a_recording_and_ends_with_it(bench):
    spans = record(bench, (2,) * 19, compact=True, clock=VirtualClock())
    bench.assert_holds(*spans)
    assert len(files(bench)) == 3


def test_merged_and_new_files_live_side_by_side(bench):
    spans = record(bench, (3, 2), compact=True)
    storage = bench.open(resume=True)
    for rows in (range(5, 9), range(9, 10)):
        bench.record(storage, rows)
        spans.append(rows)
    storage.finalize()
    bench.assert_holds(*spans)
    assert compact(bench.root)["files_after"] == 4
    bench.assert_holds(*spans)


def test_other_settings_keep_files_of_their_own(bench):
    """Two headers do not fit one stream: the picture would be decoded wrongly."""
    spans = record(bench, (3, 2), compact=True)
    storage = bench.open(resume=True, codec="hevc")
    bench.record(storage, range(5, 8))
    storage.finalize()
    compact(bench.root)
    bench.assert_holds(*spans, range(5, 8))
    videos = [path for path in files(bench) if path.startswith("videos/observation.images.front")]
    assert len(videos) == 2


def test_a_file_is_never_larger_than_the_format_says(bench, rig):
    bench.rig = rig(cameras=("front",), height=480, width=640)
    noise = np.random.default_rng(0).integers(0, 255, (480, 640, 3), dtype=np.uint8)
    storage = bench.open(video_file_mb=1, crf=10, compact=True)
    for _ in range(6):
        for index in range(2):
            step = bench.rig.step(index)
            step.observation["front"] = noise
            storage.add_frame(step)
        assert storage.save_episode().wait(60)
    storage.finalize()
    sizes = [path.stat().st_size for path in bench.root.glob("videos/*/*/*.mp4")]
    assert 1 < len(sizes) < 6
    assert max(sizes) < 1.02 * layout.MIB


def test_a_table_that_does_not_say_where_its_rows_are_is_left_alone(bench):
    spans = record(bench, (3, 2, 4))
    for number in range(3):
        path = bench.root / layout.episodes_file(0, number)
        pq.write_table(pq.read_table(path).drop_columns("meta/episodes/file_index"), path)
    assert compact(bench.root) == {"files_before": 12, "files_after": 12}
    bench.assert_holds(*spans)


def test_a_table_that_says_it_wrongly_is_not_touched(bench):
    spans = record(bench, (3, 2, 4))
    path = bench.root / layout.episodes_file(0, 1)
    table = pq.read_table(path)
    place = table.schema.get_field_index("meta/episodes/file_index")
    pq.write_table(table.set_column(place, table.field(place), pa.array([0], pa.int64())), path)
    with pytest.raises(StorageError, match="nothing was merged"):
        compact(bench.root)
    bench.assert_holds(*spans)
    assert not (bench.root / ".lr").exists()


def pieces(sizes):
    return [Piece((0, number), f"{number}", size, number, number + 1) for number, size in enumerate(sizes)]


@given(sizes=st.lists(st.integers(1, 120), max_size=40), target=st.integers(1, 300))
def test_packing_keeps_order_and_size(sizes, target):
    runs = pack(pieces(sizes), target)
    assert all(sum(piece.bytes for piece in run) <= target for run in runs)
    assert all(after.start == before.stop for run in runs for before, after in itertools.pairwise(run))


@given(sizes=st.lists(st.integers(5, 9), max_size=400))
def test_merging_while_recording_copies_each_byte_a_few_times(sizes):
    stored, copied = [], 0
    for number, size in enumerate(sizes, 1):
        stored.append(size)
        if number % 8 == 0:
            for run in tail(pieces(stored), 10_000, 8):
                merged = sum(piece.bytes for piece in run)
                stored[len(stored) - len(run) :] = [merged]
                copied += merged
    assert copied <= 8 * sum(sizes)
    assert len(stored) <= 8 * 8


@pytest.mark.parametrize("count", [2, 7])
def test_few_files_are_not_worth_it_while_recording(count):
    assert tail(pieces([5] * count), 1000, 8) == []
