"""The ring: the newest seconds, encoded, and an episode that goes on in the same stream."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lerobot_core.errors import StorageError
from lerobot_storage_v3.ring import Window, cut


def test_commit_makes_the_newest_seconds_the_beginning(bench):
    storage = bench.open()
    storage.buffer(1.0, 10_000_000)
    for index in range(37):
        storage.add_frame(bench.rig.step(index))
    storage.commit_buffer()
    for index in range(37, 45):
        storage.add_frame(bench.rig.step(index))
    assert storage.save_episode("success").wait(60)
    # 10 rows are asked for; the oldest must be a key frame, one in two is.
    first = int(bench.reader().states(0)[1][0, 0] * 4)
    assert first in (26, 27)
    bench.assert_holds(range(first, 45))
    assert storage.stats()["frames"] == 45 - first


def test_nothing_is_on_disk_before_the_commit(bench):
    storage = bench.open()
    storage.buffer(2.0, 10_000_000)
    for index in range(15):
        storage.add_frame(bench.rig.step(index))
    with pytest.raises(StorageError, match="not committed"):
        storage.save_episode()
    storage.finalize()
    assert not bench.root.exists()


def test_a_ring_begins_between_two_episodes(bench):
    storage = bench.open()
    storage.add_frame(bench.rig.step(0))
    with pytest.raises(StorageError, match="an episode is being recorded"):
        storage.buffer(1.0, 10_000_000)
    bench.record(storage, range(1, 3))
    bench.assert_holds(range(3))


def test_the_ring_begins_again_after_each_highlight(bench):
    storage = bench.open()
    expected, index = [], 0
    for _ in range(3):
        storage.buffer(0.5, 10_000_000)
        for _ in range(12):
            storage.add_frame(bench.rig.step(index))
            index += 1
        storage.commit_buffer()
        start = index
        for _ in range(3):
            storage.add_frame(bench.rig.step(index))
            index += 1
        assert storage.save_episode().wait(60)
        expected.append((start, index))
    reader = bench.reader()
    for number, (commit, end) in enumerate(expected):
        rows = (reader.states(number)[1][:, 0] * 4).astype(int)
        assert rows[-1] == end - 1
        assert commit - 6 <= rows[0] <= commit - 5
        assert np.array_equal(rows, np.arange(rows[0], end))


def test_a_discard_empties_the_ring_and_goes_on_buffering(bench):
    storage = bench.open()
    storage.buffer(5.0, 10_000_000)
    for index in range(8):
        storage.add_frame(bench.rig.step(index))
    storage.discard_episode()
    for index in range(20, 24):
        storage.add_frame(bench.rig.step(index))
    storage.commit_buffer()
    bench.record(storage, range(24, 26))
    bench.assert_holds(range(20, 26))


def test_bytes_limit_the_ring_too(bench):
    storage = bench.open()
    storage.buffer(60.0, 2_000)
    for index in range(60):
        storage.add_frame(bench.rig.step(index))
    storage.commit_buffer()
    bench.record(storage, range(60, 62))
    length = bench.reader().episodes[0].length
    assert 2 < length < 40


def test_delayed_encoders_lose_nothing(bench, rig):
    """An encoder may hand packets out late; those still inside at the commit belong to the episode."""
    bench.rig = rig(cameras=("front",), height=64)
    storage = bench.open(codec="av1", gop=4)
    storage.buffer(1.0, 10_000_000)
    for index in range(23):
        storage.add_frame(bench.rig.step(index))
    storage.commit_buffer()
    bench.record(storage, range(23, 26))
    first = int(bench.reader().states(0)[1][0, 0] * 4)
    assert 23 - 10 - 4 < first <= 13
    bench.assert_holds(range(first, 26))


@dataclass
class FakePacket:
    pts: int
    is_keyframe: bool
    size: int


@dataclass
class FakeTrack:
    held: deque[FakePacket]

    @property
    def weight(self) -> int:
        return sum(packet.size for packet in self.held)


@given(
    sizes=st.lists(st.tuples(st.integers(1, 50), st.integers(1, 50)), min_size=1, max_size=60),
    gops=st.tuples(st.integers(1, 6), st.integers(1, 6)),
    rows=st.integers(1, 40),
    most=st.integers(1, 1500),
    first=st.integers(0, 500),
)
def test_a_cut_is_at_a_key_frame_of_every_camera(sizes, gops, rows, most, first):
    tracks = [
        FakeTrack(deque(FakePacket(first + place, place % gop == 0, pair[side]) for place, pair in enumerate(sizes)))
        for side, gop in enumerate(gops)
    ]
    end = first + len(sizes)
    found = cut(tracks, first, len(sizes), Window(rows, most))
    common = [place for place in range(len(sizes)) if all(place % gop == 0 for gop in gops)]
    assert found - first in common
    later = [first + place for place in common if first + place > found]
    weight = sum(packet.size for track in tracks for packet in track.held if packet.pts >= found)
    assert weight <= most or not later
    if found > first:
        # It gave up no more than it had to: from the previous key frame on, a limit would not be kept.
        before = max(first + place for place in common if first + place < found)
        heavy = sum(packet.size for track in tracks for packet in track.held if packet.pts >= before) > most
        assert heavy or end - found >= rows
