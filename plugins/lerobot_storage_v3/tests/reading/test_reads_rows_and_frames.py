"""The reader against what was written: rows, frames, deltas and padding."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lerobot_core.contracts.storage import Reader
from lerobot_core.errors import ContractError
from lerobot_core.features import is_nameless
from lerobot_storage_v3.reader import LerobotReader, offsets, open_reader

FRONT = "observation.images.front"


def test_it_is_a_reader(made: Any) -> None:
    reader = open_reader(made.root)
    assert isinstance(reader, Reader)
    assert (reader.fps, reader.robot_type, list(reader.tasks)) == (10.0, "fake", ["pick", "place"])
    assert list(reader.observation) == ["pan.pos", "lift.pos", "grip.pos", "front", "wrist"]
    assert list(reader.action) == ["pan.pos", "lift.pos", "grip.pos"]
    assert reader.observation["front"].shape == (48, 64, 3)


def test_episodes(make: Callable[..., Any]) -> None:
    made = make(outcomes=("success", "failure", "none"))
    episodes = open_reader(made.root).episodes
    assert [episode.length for episode in episodes] == [12, 7, 20]
    assert [episode.tasks for episode in episodes] == [("pick",), ("place",), ("pick",)]
    assert [episode.outcome for episode in episodes[1:]] == ["failure", "none"]
    assert episodes[-1].index == 2
    with pytest.raises(IndexError):
        episodes[3]


def test_whole_episodes_by_name(made: Any) -> None:
    reader = open_reader(made.root)
    names, actions = reader.actions(1)
    assert names == ("pan.pos", "lift.pos", "grip.pos")
    assert actions.dtype == np.float32
    np.testing.assert_array_equal(actions, made.actions[12:19])
    np.testing.assert_array_equal(reader.states(2)[1], made.states[19:])


@pytest.mark.parametrize("file_per_episode", [False, True])
def test_every_frame_of_every_camera(make: Callable[..., Any], file_per_episode: bool) -> None:
    made = make(file_per_episode=file_per_episode)
    reader = open_reader(made.root)
    for index in np.random.default_rng(0).permutation(len(reader)):
        row = reader.frames(int(index))
        assert row[FRONT].dtype == np.uint8
        assert row[FRONT].shape == (48, 64, 3)
        assert made.shows(row[FRONT], "front", index)
        assert made.shows(row["observation.images.wrist"], "wrist", index)
        assert row["index"] == index
        np.testing.assert_array_equal(row["observation.state"], made.states[index])
        assert row["task"] == ["pick", "place", "pick"][row["episode_index"]]


def test_deltas_stop_at_the_episode_and_say_so(made: Any) -> None:
    reader = open_reader(made.root)
    row = reader.frames(18, {"action": [0.0, 0.1, 0.2], FRONT: [-0.7, 0.0]})
    np.testing.assert_array_equal(row["action"], made.actions[[18, 18, 18]])
    assert row["action_is_pad"].tolist() == [False, True, True]
    assert row[f"{FRONT}_is_pad"].tolist() == [True, False]
    assert made.shows(row[FRONT][0], "front", 12)
    assert made.shows(row[FRONT][1], "front", 18)
    assert made.shows(row["observation.images.wrist"], "wrist", 18)


def test_reordered_frames_are_found(make: Callable[..., Any]) -> None:
    made = make(codec={"g": "12", "bf": "3", "crf": "12", "b-adapt": "0"}, lengths=(40,))
    reader = open_reader(made.root)
    for index in np.random.default_rng(1).permutation(40).tolist():
        assert made.shows(reader.frames(index)[FRONT], "front", index)


def test_images_in_the_rows(make: Callable[..., Any]) -> None:
    made = make(as_images=True)
    row = open_reader(made.root).frames(20, {FRONT: [-0.2, 0.0]})
    assert row[FRONT].shape == (2, 48, 64, 3)
    assert (row[FRONT][:, :, 0, 0] == [[made.level("front", 19)] * 48, [made.level("front", 20)] * 48]).all()
    assert made.shows(row["observation.images.wrist"], "wrist", 20)


def test_without_names_positions_stand_in(make: Callable[..., Any]) -> None:
    reader = open_reader(make(names=None).root)
    assert reader.actions(0)[0] == ("action[0]", "action[1]", "action[2]")
    assert is_nameless(reader.action)


def test_several_threads_may_read(made: Any) -> None:
    reader = open_reader(made.root)
    with ThreadPoolExecutor(4) as pool:
        rows = list(pool.map(reader.frames, list(range(39)) * 2))
    assert all(made.shows(row[FRONT], "front", row["index"]) for row in rows)


def test_closing_twice_and_reading_on(made: Any) -> None:
    reader = open_reader(made.root)
    reader.frames(0)
    reader.close()
    reader.close()
    assert made.shows(reader.frames(3)[FRONT], "front", 3)


def test_a_small_cache_gives_the_same_rows(made: Any) -> None:
    reader = LerobotReader(made.root, cache_bytes=1)
    for index in (30, 2, 14, 31, 3):
        np.testing.assert_array_equal(reader.frames(index)["action"], made.actions[index])


def test_the_fingerprint_follows_the_content(make: Callable[..., Any]) -> None:
    one, again, moved, other = make(), make(), make(file_per_episode=True), make(lengths=(12, 7, 21))
    prints = [open_reader(made.root).fingerprint for made in (one, again, moved, other)]
    assert prints[0] == prints[1] == prints[2] != prints[3]


def test_an_unknown_key_is_named(made: Any) -> None:
    with pytest.raises(ContractError, match="did you mean 'action'"):
        open_reader(made.root).frames(0, {"actoin": [0.0]})


def test_a_delta_between_rows_is_refused(made: Any) -> None:
    with pytest.raises(ContractError, match=r"use 0\.100000"):
        open_reader(made.root).frames(0, {"action": [0.12]})


def test_no_such_row(made: Any) -> None:
    with pytest.raises(IndexError, match="frame 39 of 39"):
        open_reader(made.root).frames(39)


@given(st.integers(1, 120), st.lists(st.integers(-50, 50), max_size=5), st.floats(-9e-5, 9e-5))
def test_offsets_round_within_the_tolerance(fps: int, rows: list[int], error: float) -> None:
    assert offsets([row / fps + error for row in rows], fps, 1e-4).tolist() == rows


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None)
@given(index=st.integers(0, 157), rows=st.lists(st.integers(-70, 70), min_size=1, max_size=6))
def test_padding_is_where_the_episode_ends(golden: Path, index: int, rows: list[int]) -> None:
    reader = open_reader(golden)
    got = reader.frames(index, {"action": [row / 10 for row in rows]})
    episode = reader.episodes[int(got["episode_index"])]
    wanted = [min(max(index + row, episode.start), episode.stop - 1) for row in rows]
    assert got["action_is_pad"].tolist() == [not episode.start <= index + row < episode.stop for row in rows]
    np.testing.assert_array_equal(got["action"], [reader.frames(row)["action"] for row in wanted])


def test_what_the_peer_reads(golden: Path) -> None:
    expected = json.loads((golden / "expected_peer_read.json").read_text())
    reader = open_reader(golden)
    assert len(reader) == expected["len"]
    deltas = {"action": [row / 10 for row in range(8)], "observation.image": [-0.1, 0.0]}
    for index, peer in expected["frames"].items():
        ours = reader.frames(int(index), deltas)
        assert (ours["task"], ours["episode_index"]) == (peer["task"], peer["episode_index"])
        assert (ours["frame_index"], ours["timestamp"]) == (peer["frame_index"], np.float32(peer["timestamp"]))
        np.testing.assert_array_equal(ours["observation.state"], np.float32(peer["state"]))
        np.testing.assert_array_equal(ours["action"], np.float32(peer["action"]))
        assert ours["action_is_pad"].tolist() == peer["action_is_pad"]
        assert ours["observation.image_is_pad"].tolist() == peer["image_is_pad"]
        image = ours["observation.image"]
        np.testing.assert_array_equal(image[0, 48, 48], np.rint(np.multiply(peer["image_px_0_48_48"], 255)))
        np.testing.assert_allclose(image.mean(axis=(1, 2, 3)) / 255, peer["image_mean"], atol=2e-7)
