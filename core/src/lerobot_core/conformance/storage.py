"""The storage's laws."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ..errors import StorageError
from ..features import image_key
from ..specs import StorageSpec
from ..types import Feature, Features, Step
from .base import PluginConformance, accepted, not_exercised, refused
from .samples import misfits, step

FPS = 30.0
ACTION: Features = {
    "shoulder.pos": Feature("float32", (), "deg", -100.0, 100.0, 180.0),
    "gripper.pos": Feature("float32", (), "pct", 0.0, 100.0, 200.0),
}
OBSERVATION: Features = {**ACTION, "front": Feature("uint8", (96, 128, 3))}
FRONT = image_key("front")
TICKET_S = 60.0


class StorageConformance(PluginConformance):
    """What was sent is what comes back; frames == rows; nothing is overwritten and nothing half-saved is shown."""

    kind = "storage"

    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path: Path) -> None:
        self.root = tmp_path / "dataset"

    def close(self, subject: Any) -> None:
        """`finalize`."""
        subject.finalize()

    def opened(self, resume: bool = False) -> Any:
        """A storage writing to `self.root`; finalized after the test."""
        storage = self.make(root=str(self.root))
        storage.open(OBSERVATION, ACTION, FPS, "fake", "a task", resume)
        return storage

    def rows(self, count: int, first: int = 0) -> list[Step]:
        """Invented rows."""
        return [step(OBSERVATION, ACTION, index, FPS) for index in range(first, first + count)]

    def save(self, storage: Any, rows: list[Step], outcome: str = "none") -> None:
        """Add the rows, save the episode and wait for its ticket."""
        for row in rows:
            storage.add_frame(row)
        ticket = storage.save_episode(outcome)
        assert ticket.wait(TICKET_S), f"a ticket must be done in {TICKET_S:.0f} s"
        assert ticket.error is None, f"an episode must be saved without error: {ticket.error}"
        assert ticket.done is True, "a ticket must be done after wait() said so"

    def read(self) -> Any:
        """A reader of `self.root`."""
        spec = self.spec()
        if not isinstance(spec, StorageSpec) or spec.tools is None:
            not_exercised("the spec offers no tools, so nothing can be read back")
        return spec.tools().reader(self.root)

    def test_rows_come_back_as_they_were_sent(self) -> None:
        """`action` is what the motors were told, not what was asked for."""
        storage, rows = self.opened(), self.rows(12)
        self.save(storage, rows)
        storage.finalize()
        reader = self.read()
        names, actions = reader.actions(0)
        wanted = np.array([[row.sent[name] for name in names] for row in rows], np.float32)
        assert set(names) == set(ACTION), f"a reader must name the action keys: {names}"
        assert actions.dtype == np.float32, f"actions must be float32, not {actions.dtype}"
        assert np.array_equal(actions, wanted), "a row's action must be the action that was sent"
        names, states = reader.states(0)
        seen = np.array([[row.observation[name] for name in names] for row in rows], np.float32)
        assert np.array_equal(states, seen), "a row's state must be what was observed"
        reader.close()

    def test_every_row_has_a_frame_of_every_camera(self) -> None:
        """frames == rows, always."""
        storage = self.opened()
        self.save(storage, self.rows(7))
        storage.finalize()
        reader = self.read()
        total = sum(episode.length for episode in reader.episodes)
        assert total == 7, f"a storage must keep every row: {total} of 7"
        for index in range(total):
            wrong = misfits({FRONT: reader.frames(index).get(FRONT)}, {FRONT: reader.observation["front"]})
            assert not wrong, f"every row must have a frame of every camera: row {index}, {'; '.join(wrong)}"
        reader.close()

    def test_what_is_known_of_a_dataset_comes_back(self) -> None:
        """Rate, robot, names, task, outcome."""
        storage = self.opened()
        self.save(storage, self.rows(5), "success")
        self.save(storage, self.rows(6, first=5), "failure")
        storage.finalize()
        reader = self.read()
        assert reader.fps == FPS, f"a dataset must keep its rate: {reader.fps}"
        assert reader.robot_type == "fake", f"a dataset must keep its robot type: {reader.robot_type!r}"
        assert set(reader.action) == set(ACTION), f"a dataset must keep the action keys: {list(reader.action)}"
        assert set(reader.observation) == set(OBSERVATION), (
            f"a dataset must keep the observation keys: {list(reader.observation)}"
        )
        assert list(reader.tasks) == ["a task"], f"a dataset must keep its tasks: {list(reader.tasks)}"
        found = [(episode.length, episode.outcome) for episode in reader.episodes]
        assert found == [(5, "success"), (6, "failure")], f"a dataset must keep lengths and outcomes: {found}"
        reader.close()

    def test_the_caller_may_reuse_its_arrays(self) -> None:
        """`add_frame` keeps what it needs."""
        storage, rows = self.opened(), self.rows(3)
        for row in rows:
            borrowed = row.observation["front"].copy()
            row.observation["front"] = borrowed
            storage.add_frame(row)
            borrowed[:] = 0
            row.sent.update(dict.fromkeys(row.sent, 0.0))
        storage.save_episode().wait(TICKET_S)
        storage.finalize()
        reader = self.read()
        assert np.any(reader.actions(0)[1]), "add_frame must keep the action when the caller reuses it"
        assert np.any(reader.frames(0)[FRONT]), "add_frame must keep the image when the caller reuses it"
        reader.close()

    def test_a_discarded_episode_is_gone(self) -> None:
        """And the next one is not touched by it."""
        storage = self.opened()
        for row in self.rows(4):
            storage.add_frame(row)
        storage.discard_episode()
        kept = self.rows(3, first=4)
        self.save(storage, kept)
        storage.finalize()
        reader = self.read()
        assert [episode.length for episode in reader.episodes] == [3], "a discarded episode must leave nothing behind"
        first = reader.actions(0)[1][0]
        assert np.allclose(sorted(first), sorted(kept[0].sent.values())), "an episode must begin with its own first row"
        reader.close()

    def test_an_existing_dataset_is_not_overwritten(self) -> None:
        """`--resume` continues it."""
        storage = self.opened()
        self.save(storage, self.rows(4))
        storage.finalize()
        refused(self.opened, "a storage must refuse a folder that holds a dataset, unless it resumes", StorageError)
        again = self.opened(resume=True)
        self.save(again, self.rows(5, first=4))
        again.finalize()
        reader = self.read()
        found = [episode.length for episode in reader.episodes]
        assert found == [4, 5], f"a resumed dataset must keep its episodes and add to them: {found}"
        reader.close()

    def test_other_features_are_refused_on_resume(self) -> None:
        """Rows of two robots do not mix."""
        storage = self.opened()
        self.save(storage, self.rows(4))
        storage.finalize()
        other = self.make(root=str(self.root))
        law = "a storage must refuse to resume with other features"
        refused(
            lambda: other.open(OBSERVATION, {"other.pos": ACTION["gripper.pos"]}, FPS, "fake", "", True),
            law,
            StorageError,
        )

    def test_there_is_one_writer(self) -> None:
        """Two would interleave their rows."""
        storage = self.opened()
        self.save(storage, self.rows(4))
        refused(
            lambda: self.opened(resume=True),
            "a storage must refuse a dataset that another one is writing",
            StorageError,
        )

    def test_the_buffer_is_the_newest_seconds_until_it_is_committed(self) -> None:
        """It becomes the beginning of the episode."""
        storage = self.opened()
        storage.buffer(0.5, 10_000_000)
        for row in self.rows(60):
            storage.add_frame(row)
        storage.commit_buffer()
        self.save(storage, self.rows(5, first=60))
        storage.finalize()
        length = self.read().episodes[0].length
        # 0.5 s at 30 fps are 15 rows; a stream of video may have to begin up to one second earlier, at a key frame.
        assert 5 + 14 <= length <= 5 + 46, (
            f"a buffer must keep its newest seconds: {length - 5} rows for 0.5 s at 30 fps"
        )

    def test_its_statistics_are_complete(self) -> None:
        """They are the summary's `dataset` block."""
        storage = self.opened()
        self.save(storage, self.rows(4))
        stats = storage.stats()
        missing = {"root", "repo_id", "codec", "episodes", "frames", "discarded", "bytes", "save_ms"} - stats.keys()
        assert not missing, f"a storage's stats must hold {', '.join(sorted(missing))}"
        counts = (stats["episodes"], stats["frames"])
        assert counts == (1, 4), f"a storage must count what it saved: {counts} episodes and frames"

    def test_repair_finds_nothing_to_do_on_a_sound_dataset(self) -> None:
        """It reports what it did."""
        spec = self.spec()
        if not isinstance(spec, StorageSpec) or spec.tools is None:
            not_exercised("the spec offers no tools")
        storage = self.opened()
        self.save(storage, self.rows(4))
        storage.finalize()
        found = [problem.text for problem in spec.tools().repair(self.root)]
        assert not found, f"repair must leave a sound dataset alone: {found}"

    def test_finalize_is_idempotent(self) -> None:
        """Exit paths overlap; also when nothing was opened."""
        storage = self.opened()
        storage.finalize()
        accepted(storage.finalize, "a storage must allow finalize() twice")
        unopened = self.make(root=str(self.root / "never"))
        accepted(unopened.finalize, "a storage must allow finalize() before open()")
