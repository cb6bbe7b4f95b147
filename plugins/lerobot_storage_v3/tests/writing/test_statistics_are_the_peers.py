"""Statistics against those the peer wrote for its own sample, and against the plain definition."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from lerobot_storage_v3 import layout, parquet
from lerobot_storage_v3.episodes_meta import STATS, stat_column
from lerobot_storage_v3.stats import PictureStats, aggregate, column_stat, from_json, sampled, to_json

GOLDEN = Path(__file__).parents[4] / "tests" / "golden" / "pusht"


@pytest.fixture(scope="module")
def peer():
    episodes = pq.read_table(GOLDEN / layout.episodes_file(0, 0))
    return episodes, pq.read_table(GOLDEN / "data/chunk-000/file-000.parquet")


def spans(episodes):
    return list(zip(episodes["dataset_from_index"].to_pylist(), episodes["dataset_to_index"].to_pylist(), strict=True))


def column(data, key, start, stop):
    # The peer takes the statistics of timestamps before it stores them as float32.
    return np.arange(stop - start) / 10 if key == "timestamp" else parquet.column(data, key)[start:stop]


def test_every_number_of_every_episode_is_equal_to_the_bit(peer):
    episodes, data = peer
    for number, (start, stop) in enumerate(spans(episodes)):
        for key in data.column_names:
            stat = column_stat(column(data, key, start, stop))
            for name in STATS:
                assert stat[name].tolist() == episodes[stat_column(key, name)][number].as_py(), (number, key, name)


def test_the_whole_dataset_is_equal_to_the_bit(peer):
    episodes, data = peer
    total = {}
    for start, stop in spans(episodes):
        one = {key: column_stat(column(data, key, start, stop)) for key in data.column_names}
        total = aggregate([total, one]) if total else one
    wanted = layout.read_json(GOLDEN / layout.STATS)
    assert to_json(total) == {key: wanted[key] for key in data.column_names}


def test_pictures_are_near_the_peers_although_only_their_video_is_left(peer):
    episodes, _ = peer
    with av.open(str(GOLDEN / "videos/observation.image/chunk-000/file-000.mp4")) as container:
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(container.streams.video[0])]
    for number, (start, stop) in enumerate(spans(episodes)):
        gathered = PictureStats()
        for frame in frames[start:stop]:
            gathered.add(frame)
        stat = gathered.finish()
        for name in ("mean", "std", "q50", "count"):
            wanted = np.array(episodes[stat_column("observation.image", name)][number].as_py())
            assert np.allclose(stat[name], wanted, atol=0.02), (number, name)
            assert stat[name].shape == wanted.shape


@settings(max_examples=40, deadline=None)
@given(arrays.arrays(np.uint8, st.tuples(st.integers(1, 5), st.integers(2, 9), st.integers(2, 9), st.just(3))))
def test_histograms_of_pictures_give_what_their_pixels_give(images):
    gathered = PictureStats()
    for image in images:
        gathered.add(image)
    stat = gathered.finish()
    pixels = images.reshape(-1, 3).astype(np.float64)
    plain = column_stat(images.reshape(-1, 3))
    assert np.allclose(stat["mean"].ravel(), pixels.mean(axis=0) / 255)
    assert np.allclose(stat["std"].ravel(), pixels.std(axis=0) / 255, atol=1e-6)
    for name in ("min", "max", "q01", "q10", "q50", "q90", "q99"):
        assert np.allclose(stat[name].ravel(), plain[name] / 255, atol=1e-6), name


@settings(max_examples=60, deadline=None)
@given(
    arrays.arrays(np.float32, st.tuples(st.integers(2, 40), st.integers(1, 3)), elements=st.floats(-1e3, 1e3, width=32))
)
def test_quantiles_are_those_of_a_histogram_of_5000_bins(values):
    stat = column_stat(values)
    for place, data in enumerate(values.T):
        edges = np.linspace(data.min() - 1e-10, data.max() + 1e-10, 5001)
        cumulated = np.cumsum(np.histogram(data, bins=edges)[0])
        for name, quantile in (("q01", 0.01), ("q50", 0.5), ("q99", 0.99)):
            index = int(np.searchsorted(cumulated, quantile * len(data)))
            found = stat[name][place]
            assert edges[max(0, index - 1)] <= found <= edges[min(5000, index + 1)]


def test_large_pictures_are_thinned_and_their_sums_exact():
    """5.3 million pixels around 236.5, where a float32 sum gives a deviation of 0."""
    dice = np.random.default_rng(0)
    gathered, every = PictureStats(), []
    for _ in range(276):
        image = np.clip(dice.normal(237, 8, (480, 640, 3)), 0, 255).astype(np.uint8) if len(every) < 4 else every[0]
        every.append(image)
        gathered.add(image)
    stat = gathered.finish()
    assert stat["count"].tolist() == [len(sampled(276))] == [100]
    assert float(stat["std"][0, 0, 0]) * 255 == pytest.approx(7.93, abs=0.05)


@pytest.mark.parametrize(("length", "number"), [(1, 1), (99, 99), (100, 100), (464, 100), (1000, 177), (20_000, 1681)])
def test_so_many_frames_are_looked_at(length, number):
    indices = sampled(length)
    assert (len(indices), indices[0], indices[-1]) == (number, 0, length - 1)


def test_one_row_has_its_value_for_every_quantile():
    stat = column_stat(np.array([[3, -4]], np.int64))
    assert stat["q01"].tolist() == stat["mean"].tolist() == [3.0, -4.0]
    assert (stat["std"].tolist(), stat["count"].tolist()) == ([0.0, 0.0], [1])


def test_what_json_keeps_is_what_was_there():
    stats = {"action": column_stat(np.arange(6, dtype=np.float32).reshape(3, 2))}
    assert to_json(from_json(to_json(stats))) == to_json(stats)
