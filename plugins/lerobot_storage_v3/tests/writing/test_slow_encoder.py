"""An encoder that cannot keep up: frames == rows all the same, on a clock where slowness costs no real time."""

from __future__ import annotations

import pytest
from lerobot_core.virtual_clock import VirtualClock
from lerobot_storage_v3.faults import SlowEncoder
from lerobot_storage_v3.rows import RowBuilder

FPS = 10


def drive(bench, storage, clock: VirtualClock, rows: int) -> float:
    """Add rows at their deadlines; returns how late the last one was."""
    start = clock.now()
    for index in range(rows):
        clock.sleep_until(start + index / FPS)
        storage.add_frame(bench.rig.step(index))
    return clock.now() - start - (rows - 1) / FPS


def frames(bench) -> list[int]:
    """Which picture each row of `front` shows: row i shows picture i where nothing was repeated."""
    reader = bench.reader()
    shown = []
    for index in range(reader.episodes[0].length):
        picture = reader.frames(index)["observation.images.front"]
        shown.append(next(other for other in range(index, -1, -1) if bench.rig.shows(picture, "front", other)))
    return shown


@pytest.fixture
def half_a_megabyte(rig):
    """One camera, four of whose pictures fill the queue of one megabyte."""
    return rig(cameras=("front",), height=320, width=256)


def test_a_fast_one_repeats_nothing(bench):
    clock = VirtualClock()
    storage = bench.open(clock=clock, faults=SlowEncoder(0.04))
    assert drive(bench, storage, clock, 20) == pytest.approx(0)
    assert storage.save_episode().wait(60)
    storage.finalize()
    assert storage.stats()["repeated"] == 0
    bench.assert_holds(range(20))


def test_mark_repeats_the_last_picture_and_says_so(bench, half_a_megabyte):
    bench.rig, clock = half_a_megabyte, VirtualClock()
    storage = bench.open(clock=clock, faults=SlowEncoder(0.35), queue_mb=1)
    assert drive(bench, storage, clock, 40) == pytest.approx(0), "the loop is never held up"
    assert storage.save_episode().wait(60)
    storage.finalize()
    reader = bench.reader()
    flagged = [index for index in range(40) if "repeat:front" in reader.frames(index)["flags"]]
    assert reader.episodes[0].length == 40
    assert len(flagged) == storage.stats()["repeated"] > 5
    shown = frames(bench)
    assert [index for index in range(1, 40) if shown[index] != index] == flagged
    assert all(shown[index] == shown[index - 1] for index in flagged)


def test_block_holds_the_loop_up_and_repeats_nothing(bench, half_a_megabyte):
    bench.rig, clock = half_a_megabyte, VirtualClock()
    storage = bench.open(clock=clock, faults=SlowEncoder(0.35), queue_mb=1, slow_encoder="block")
    assert drive(bench, storage, clock, 40) > 5
    assert storage.save_episode().wait(60)
    storage.finalize()
    assert storage.stats()["repeated"] == 0
    bench.assert_holds(range(40))


def test_ten_times_too_slow_for_a_minute(bench, half_a_megabyte):
    bench.rig, clock = half_a_megabyte, VirtualClock()
    storage = bench.open(clock=clock, faults=SlowEncoder(1.0), queue_mb=1)
    drive(bench, storage, clock, 60 * FPS)
    ticket = storage.save_episode()
    assert ticket.wait(2000)
    assert bench.reader().episodes[0].length == 60 * FPS
    assert len(frames(bench)) == 60 * FPS


def test_waiting_pictures_are_counted(bench):
    builder = RowBuilder(bench.rig.observation, bench.rig.action, "")
    assert [image.nbytes for image in builder.copies(bench.rig.step(0))] == [48 * 64 * 3] * 2


def test_an_episode_that_starts_while_the_last_one_is_still_waiting(bench, half_a_megabyte):
    """Its first picture is kept whatever waits, and the loop goes on at once."""
    bench.rig, clock = half_a_megabyte, VirtualClock()
    storage = bench.open(clock=clock, faults=SlowEncoder(0.35), queue_mb=1)
    drive(bench, storage, clock, 12)
    first = storage.save_episode()
    assert drive(bench, storage, clock, 6) == pytest.approx(0)
    assert first.wait(60)
    assert storage.save_episode().wait(60)
    reader = bench.reader()
    assert [episode.length for episode in reader.episodes] == [12, 6]
    assert bench.rig.shows(reader.frames(12)["observation.images.front"], "front", 0)
