"""The fake storage: what went in comes out, whatever happened in between."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lerobot_core.errors import StorageError
from lerobot_core.fakes.config import FakeStorageConfig
from lerobot_core.fakes.pattern import Pattern, number_of
from lerobot_core.fakes.reader import FakeStorageTools
from lerobot_core.fakes.storage import FakeStorage
from lerobot_core.features import image_key
from lerobot_core.types import Feature, Observation, Step

JOINT = Feature("float32", (), "deg", -100.0, 100.0)
OBSERVATION = {"a.pos": JOINT, "front": Feature("uint8", (48, 64, 3))}
FRONT = image_key("front")
PATTERN = Pattern(64, 48)


def _step(index: int) -> Step:
    seen = Observation(
        {"a.pos": float(index), "front": PATTERN.frame(index)}, index / 10, {"front": index / 10}, {"stale:front"}
    )
    return Step(index, index / 10, seen, {"a.pos": 0.5}, {"a.pos": float(-index)}, "policy", task="reach")


def _open(storage: FakeStorage, resume: bool = False) -> FakeStorage:
    storage.open(OBSERVATION, {"a.pos": JOINT}, 10.0, "fake", "reach", resume)
    return storage


def _stored(root: Path | None = None, **options: object) -> FakeStorage:
    return FakeStorage(FakeStorageConfig(root=root, **options))  # type: ignore[arg-type]


def _fill(storage: FakeStorage, indices: range) -> None:
    for index in indices:
        storage.add_frame(_step(index))


def test_rows_come_back_as_they_were_sent(tmp_path: Path) -> None:
    storage = _open(_stored(tmp_path / "out"))
    _fill(storage, range(5))
    ticket = storage.save_episode("success")
    assert ticket.done
    assert ticket.wait(0.0)
    storage.finalize()
    reader = FakeStorageTools().reader(tmp_path / "out")
    assert [(info.length, info.tasks, info.outcome) for info in reader.episodes] == [(5, ("reach",), "success")]
    names, actions = reader.actions(0)
    assert (names, actions.tolist()) == (("a.pos",), [[0.0], [-1.0], [-2.0], [-3.0], [-4.0]])
    assert reader.states(0)[1].tolist() == [[0.0], [1.0], [2.0], [3.0], [4.0]]
    assert [number_of(reader.frames(i)[FRONT]) for i in range(5)] == [0, 1, 2, 3, 4]
    assert reader.observation["front"].shape == reader.frames(0)[FRONT].shape


def test_frames_around_an_index_are_padded_at_the_ends(tmp_path: Path) -> None:
    storage = _open(_stored(tmp_path / "out"))
    _fill(storage, range(4))
    storage.save_episode()
    storage.finalize()
    row = FakeStorageTools().reader(tmp_path / "out").frames(3, {"observation.state": [-0.1, 0.0, 0.1]})
    assert row["observation.state"].tolist() == [[2.0], [3.0], [3.0]]
    assert row["observation.state_is_pad"].tolist() == [False, False, True]


def test_a_crash_loses_the_episode_being_recorded_and_no_other(tmp_path: Path) -> None:
    storage = _open(_stored(tmp_path / "out"))
    _fill(storage, range(3))
    storage.save_episode()
    storage.finalize()
    with (tmp_path / "out" / "rows.jsonl").open("ab") as file:
        file.write(b'{"index": 3, "t": 0.3}\n{"index": 4, "t"')  # killed in the middle of a row
    assert len(FakeStorageTools().reader(tmp_path / "out").episodes) == 1
    assert "never saved" in FakeStorageTools().repair(tmp_path / "out")[0].text
    assert FakeStorageTools().repair(tmp_path / "out") == []


def test_resume_continues_and_anything_else_is_refused(tmp_path: Path) -> None:
    storage = _open(_stored(tmp_path / "out"))
    _fill(storage, range(3))
    storage.save_episode()
    storage.finalize()
    with pytest.raises(StorageError, match="--resume"):
        _open(_stored(tmp_path / "out"))
    with pytest.raises(StorageError, match="other features"):
        _stored(tmp_path / "out").open({}, {}, 10.0, "fake", "", resume=True)
    again = _open(_stored(tmp_path / "out"), resume=True)
    _fill(again, range(3, 5))
    again.save_episode()
    again.finalize()
    assert [info.length for info in FakeStorageTools().reader(tmp_path / "out").episodes] == [3, 2]
    assert again.stats()["frames"] == 5


def test_discarded_rows_are_gone(tmp_path: Path) -> None:
    storage = _open(_stored(tmp_path / "out"))
    _fill(storage, range(4))
    storage.discard_episode()
    _fill(storage, range(2))
    storage.save_episode()
    storage.finalize()
    assert FakeStorageTools().reader(tmp_path / "out").actions(0)[1].shape == (2, 1)
    assert storage.stats()["discarded"] == 1


def test_the_buffer_becomes_the_beginning_of_the_episode() -> None:
    storage = _open(_stored())
    storage.buffer(seconds=0.3, max_bytes=10**6)
    _fill(storage, range(20))
    storage.commit_buffer()
    _fill(storage, range(20, 22))
    storage.save_episode()
    assert [step.index for step in storage.episodes[0].steps] == [16, 17, 18, 19, 20, 21]


def test_the_buffer_keeps_to_its_bytes() -> None:
    storage = _open(_stored())
    storage.buffer(seconds=60.0, max_bytes=4 * 8_000)
    _fill(storage, range(40))
    storage.commit_buffer()
    storage.save_episode()
    assert 1 <= len(storage.episodes[0].steps) < 40


def test_full_empty_and_unopened_storages_say_so() -> None:
    with pytest.raises(StorageError, match="before open"):
        _stored().add_frame(_step(0))
    storage = _open(_stored(fault="full", fault_after=2, rotate_rows=2))
    with pytest.raises(StorageError, match="nothing to save"):
        storage.save_episode()
    _fill(storage, range(2))
    assert storage.rotate_due()
    with pytest.raises(StorageError, match="full"):
        storage.add_frame(_step(2))
    storage.save_episode()
    assert len(storage.episodes) == 1


@given(st.lists(st.tuples(st.integers(1, 4), st.booleans()), max_size=6))
def test_what_is_in_memory_is_what_is_in_the_file(
    tmp_path_factory: pytest.TempPathFactory, plan: list[tuple[int, bool]]
) -> None:
    root = tmp_path_factory.mktemp("fake") / "out"
    storage, index = _open(_stored(root)), 0
    for rows, keep in plan:
        _fill(storage, range(index, index + rows))
        index += rows
        if keep:
            storage.save_episode()
        else:
            storage.discard_episode()
    storage.finalize()
    reader = FakeStorageTools().reader(root)
    assert [info.length for info in reader.episodes] == [len(episode.steps) for episode in storage.episodes]
    for i, episode in enumerate(storage.episodes):
        assert np.array_equal(reader.actions(i)[1][:, 0], [step.sent["a.pos"] for step in episode.steps])
