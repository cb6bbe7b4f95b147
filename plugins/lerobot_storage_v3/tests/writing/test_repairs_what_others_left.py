"""Datasets whose files contradict each other, as a recorder leaves them that is killed with its tables open."""

from __future__ import annotations

import os

import pytest
from lerobot_core.errors import StorageError
from lerobot_storage_v3 import layout
from lerobot_storage_v3.repair import repair
from lerobot_storage_v3.tasks import read_tasks

VIDEO = "videos/observation.images.wrist/chunk-000/file-002.mp4"


@pytest.fixture
def three(bench):
    """Three episodes of 4, 3 and 5 rows, each in files of its own."""
    storage = bench.open()
    for rows in (range(4), range(4, 7), range(7, 12)):
        bench.record(storage, rows)
    storage.finalize()
    return bench


def halve(path):
    os.truncate(path, path.stat().st_size // 2)


def repaired(bench, *episodes):
    done = repair(bench.root)
    assert done
    bench.assert_holds(*episodes)
    assert repair(bench.root) == []
    return " ".join(problem.text for problem in done)


def test_a_sound_dataset_is_left_alone(three):
    before = {path: path.read_bytes() for path in three.root.rglob("*") if path.is_file()}
    assert repair(three.root) == []
    assert {path: path.read_bytes() for path in three.root.rglob("*") if path.is_file()} == before


def test_rows_without_an_end(three):
    halve(three.root / "data/chunk-000/file-002.parquet")
    said = repaired(three, range(4), range(4, 7))
    assert "data/chunk-000/file-002.parquet was moved to damaged/" in said
    assert (three.root / "damaged" / VIDEO).is_file()


def test_an_episode_in_the_middle_takes_the_later_ones_with_it(three):
    (three.root / "data/chunk-000/file-001.parquet").unlink()
    assert "2 episodes from 1 on are not whole" in repaired(three, range(4))


def test_a_missing_row_of_the_episodes_table(three):
    (three.root / layout.episodes_file(0, 2)).unlink()
    assert "meta/episodes has no row for it" in repaired(three, range(4), range(4, 7))


def test_totals_that_are_ahead(three):
    info = layout.read_info(three.root)
    info.total_frames += 9
    layout.write_info(three.root, info)
    repaired(three, range(4), range(4, 7), range(7, 12))


@pytest.mark.parametrize("how", [halve, os.unlink])
def test_a_video_that_is_cut_off_or_gone_is_found_once_something_else_is_wrong(three, how):
    how(three.root / VIDEO)
    (three.root / layout.STATS).unlink()
    repaired(three, range(4), range(4, 7))


def test_statistics_are_made_again_from_the_episodes(three):
    path = three.root / layout.STATS
    before = layout.read_json(path)
    path.write_text("{")
    repaired(three, range(4), range(4, 7), range(7, 12))
    after = layout.read_json(path)
    assert after.keys() == before.keys()
    assert after["action"]["mean"] == pytest.approx(before["action"]["mean"])


def test_tasks_are_made_again_from_the_episodes(three):
    path = three.root / layout.TASKS
    halve(path)
    repaired(three, range(4), range(4, 7), range(7, 12))
    assert read_tasks(three.root) == ["pick"]


def test_a_file_nobody_names_is_put_aside(three):
    stray = three.root / "data/chunk-000/file-009.parquet"
    stray.write_bytes((three.root / "data/chunk-000/file-000.parquet").read_bytes())
    assert "file-009.parquet was moved" in repaired(three, range(4), range(4, 7), range(7, 12))


def test_a_merged_table_is_cut(bench):
    storage = bench.open(compact=True)
    for rows in (range(4), range(4, 7), range(7, 12)):
        bench.record(storage, rows)
    storage.finalize()
    halve(bench.root / "videos/observation.images.front/chunk-000/file-000.mp4")
    (bench.root / layout.STATS).unlink()
    repair(bench.root)
    assert layout.read_info(bench.root).total_episodes == 0
    assert repair(bench.root) == []


def test_what_was_repaired_can_be_continued(three):
    halve(three.root / "data/chunk-000/file-002.parquet")
    storage = three.open(resume=True)
    three.record(storage, range(20, 23))
    storage.finalize()
    three.assert_holds(range(4), range(4, 7), range(20, 23))


def test_lost_names_cannot_be_made_up(three):
    (three.root / layout.INFO).write_text("{")
    with pytest.raises(StorageError, match="nowhere else") as caught:
        repair(three.root)
    assert "lr dataset repair" not in caught.value.fix


def test_no_dataset_no_repair(tmp_path):
    with pytest.raises(StorageError, match="is not a dataset"):
        repair(tmp_path)
    assert list(tmp_path.iterdir()) == []
