"""Who may write, when to go on, and what happens when the disk will not."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path

import pytest
from lerobot_core.errors import StorageError
from lerobot_core.types import Feature
from lerobot_storage_v3 import durability, layout
from lerobot_storage_v3.compact import compact
from lerobot_storage_v3.durability import WriterLock
from lerobot_storage_v3.faults import Fail
from lerobot_storage_v3.repair import repair


def test_a_second_writer_is_told_who_the_first_is(bench):
    storage = bench.open()
    bench.record(storage, range(2))
    for attempt in (lambda: bench.open(resume=True), lambda: repair(bench.root), lambda: compact(bench.root)):
        with pytest.raises(StorageError, match=f"process {os.getpid()} on"):
            attempt()
    storage.finalize()
    assert repair(bench.root) == []


def test_the_lock_of_a_dead_writer_holds_nobody_up(bench):
    bench.record(storage := bench.open(), range(2))
    storage.finalize()
    lock = bench.root / ".lr" / "lock"
    lock.parent.mkdir()
    lock.write_text("{broken")
    assert repair(bench.root) == []


def test_a_lock_taken_while_its_file_goes_away_is_taken_again(tmp_path, monkeypatch):
    """The holder removes the file when it lets go; whoever waited at that moment must not lock a file nobody sees."""
    seen = []

    def is_at(fd: int, path: Path) -> bool:
        seen.append(fd)
        return len(seen) > 1

    monkeypatch.setattr(durability, "_is_at", is_at)
    WriterLock(tmp_path).release()
    assert len(seen) == 2


def test_an_existing_dataset_needs_resume(bench):
    bench.record(storage := bench.open(), range(3))
    storage.finalize()
    with pytest.raises(StorageError, match="--resume"):
        bench.open()
    storage = bench.open(resume=True)
    bench.record(storage, range(3, 5))
    storage.finalize()
    bench.assert_holds(range(3), range(3, 5))


def test_resume_makes_a_dataset_that_is_not_there_yet(bench):
    bench.record(storage := bench.open(resume=True), range(2))
    storage.finalize()
    bench.assert_holds(range(2))


def test_resume_refuses_other_features_by_name(bench, rig):
    bench.record(storage := bench.open(), range(3))
    storage.finalize()
    bench.rig = rig(cameras=("front", "top"))
    with pytest.raises(StorageError, match=r"observation\.images\.wrist: in the dataset, not here"):
        bench.open(resume=True)


def test_resume_refuses_other_units(bench):
    bench.record(storage := bench.open(), range(3))
    storage.finalize()
    radians = {name: Feature("float32", (), "rad") for name in bench.rig.action}
    with pytest.raises(StorageError, match="in 'rad' here, in 'deg' in the dataset"):
        bench.storage().open(bench.rig.observation | radians, radians, 10, "fake", "", True)


def test_resume_refuses_another_rate_or_robot(bench):
    bench.record(storage := bench.open(), range(3))
    storage.finalize()
    for fps, robot in ((20, "fake"), (10, "other")):
        with pytest.raises(StorageError, match="was recorded with fake at 10 fps"):
            bench.storage().open(bench.rig.observation, bench.rig.action, fps, robot, "", True)


def test_resume_without_extras_says_what_to_type(bench):
    bench.record(storage := bench.open(extras="none"), range(3))
    storage.finalize()
    with pytest.raises(StorageError, match=r"--dataset\.extras none"):
        bench.open(resume=True)
    bench.record(storage := bench.open(resume=True, extras="none"), range(3, 6))
    storage.finalize()
    bench.assert_holds(range(3), range(3, 6))


def test_extras_that_are_there_are_filled_whatever_the_option(bench):
    bench.record(storage := bench.open(), range(3))
    storage.finalize()
    bench.record(storage := bench.open(resume=True, extras="none"), range(3, 5))
    assert bench.reader().frames(4)["source"] == "policy"


def test_a_full_disk_ends_in_a_clear_error_and_earlier_episodes_are_safe(bench):
    faults = Fail("bytes", 400_000)
    storage = bench.open(faults=faults)
    saved = 0

    def record_until_it_fails() -> None:
        nonlocal saved
        for _ in range(50):
            for index in range(saved * 5, saved * 5 + 5):
                storage.add_frame(bench.rig.step(index))
            saved += storage.save_episode().wait(60)

    with pytest.raises(StorageError, match="the disk is full") as caught:
        record_until_it_fails()
    assert "lr dataset repair" in caught.value.fix
    assert saved > 0
    storage.finalize()
    faults.left = 10**9
    bench.assert_holds(*[range(number * 5, number * 5 + 5) for number in range(saved)])
    assert len(repair(bench.root)) == 1
    assert layout.read_info(bench.root).total_episodes == saved + 1


def test_a_ticket_says_why_its_episode_was_not_saved(bench):
    storage = bench.open(faults=Fail("save.sync", 1))
    bench.record(storage, range(3))
    for index in range(3, 8):
        storage.add_frame(bench.rig.step(index))
    ticket = storage.save_episode("success")
    assert not ticket.wait(60)
    assert not ticket.done
    assert "the disk is full" in str(ticket.error)
    with pytest.raises(StorageError, match="the disk is full"):
        storage.add_frame(bench.rig.step(8))
    storage.finalize()
    repair(bench.root)
    bench.assert_holds(range(3), range(3, 8))
    assert bench.reader().episodes[1].outcome == "success"


def test_finalize_tells_what_nobody_was_told(bench):
    storage = bench.open(faults=Fail("encode", 0))
    storage.add_frame(bench.rig.step(0))
    with pytest.raises(StorageError, match="the disk is full"):
        storage.finalize()
    storage.finalize()


def test_a_merge_that_fails_loses_nothing(bench, caplog):
    storage = bench.open(faults=Fail("compact.sync", 0), compact=True)
    for number in range(9):
        bench.record(storage, range(number, number + 1))
    storage.finalize()
    assert "its files were not merged" in caplog.text
    assert not (bench.root / ".lr").exists()
    bench.assert_holds(*[range(number, number + 1) for number in range(9)])


@pytest.mark.parametrize("code", [errno.EROFS, errno.EACCES])
def test_a_folder_that_cannot_be_written_is_named(bench, monkeypatch, code):
    def refuse(*args: object, **options: object) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(StorageError, match="cannot write to") as caught:
        bench.open()
    assert "--dataset.root" in caught.value.fix


def test_a_file_is_no_folder(bench):
    bench.root.write_text("mine")
    with pytest.raises(StorageError, match="is no folder"):
        bench.open(resume=True)


def test_a_rate_the_format_has_no_number_for_is_refused(bench):
    with pytest.raises(StorageError, match="--fps 30"):
        bench.storage().open(bench.rig.observation, bench.rig.action, 29.97, "fake", "", False)


def test_somewhere_to_write_is_needed(bench):
    with pytest.raises(StorageError, match=r"--dataset\.root FOLDER"):
        bench.open(root=None)


def test_a_repo_id_is_enough(bench, monkeypatch, tmp_path):
    monkeypatch.setenv("HF_LEROBOT_HOME", str(tmp_path / "home"))
    storage = bench.open(root=None, repo_id="me/set")
    bench.record(storage, range(2))
    storage.finalize()
    assert (tmp_path / "home" / "me" / "set" / "meta" / "info.json").is_file()


def test_a_codec_that_does_not_open_leaves_no_folder(bench, rig):
    for options, said in (({"codec": "h256"}, "did you mean 'h264'"), ({"codec": "h264_cuvid"}, "does not open")):
        with pytest.raises(StorageError, match=said):
            bench.open(**options)
    bench.rig = rig(height=47)
    with pytest.raises(StorageError, match="even"):
        bench.open()
    assert not bench.root.exists()


def test_a_dataset_can_be_moved_between_two_runs(bench, tmp_path):
    bench.record(storage := bench.open(), range(3))
    storage.finalize()
    shutil.move(bench.root, tmp_path / "elsewhere")
    bench.record(storage := bench.open(resume=True, root=tmp_path / "elsewhere"), range(3, 4))
    storage.finalize()
    assert repair(tmp_path / "elsewhere") == []
