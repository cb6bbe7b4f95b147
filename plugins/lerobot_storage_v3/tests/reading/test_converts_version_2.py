"""Version 2.0 and 2.1, as their recorders left them, become version 3 with the same rows and pictures."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from lerobot_core.errors import StorageError
from lerobot_storage_v3 import episodes_meta, layout, parquet
from lerobot_storage_v3.cli import app
from lerobot_storage_v3.edits.operations import keep
from lerobot_storage_v3.reader import open_reader
from lerobot_storage_v3.verify import verify
from typer.testing import CliRunner

IMAGE = "observation.image"
VIDEO = "videos/chunk-000/observation.image/episode_{:06d}.mp4"
DATA = "data/chunk-000/episode_{:06d}.parquet"


def lines(path: Path, rows: Iterator[Any] | list[Any]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def stats_of(golden: Path) -> list[dict[str, Any]]:
    table = episodes_meta.read_episodes(golden, with_stats=True)
    found: list[dict[str, Any]] = [{} for _ in range(table.num_rows)]
    for name in table.column_names:
        if name.startswith("stats/") and not name.endswith(("q01", "q10", "q50", "q90", "q99")):
            _, key, stat = name.split("/")
            for number, value in enumerate(table[name].to_pylist()):
                found[number].setdefault(key, {})[stat] = value
    return found


@pytest.fixture
def old(golden: Path, tmp_path: Path) -> Path:
    """The golden dataset as version 2.1 would have it."""
    root = tmp_path / "old"
    (root / "meta").mkdir(parents=True)
    source = open_reader(golden)
    for number, episode in enumerate(source.episodes):
        one = tmp_path / "one"
        keep(golden, one, [number])
        table = parquet.read(one / "data" / "chunk-000" / "file-000.parquet", one)
        for key, values in {
            "index": range(episode.start, episode.stop),
            "episode_index": [number] * episode.length,
            "task_index": source.column("task_index", number),
        }.items():
            table = table.set_column(table.column_names.index(key), key, pa.array(values, pa.int64()))
        parquet.write(root / DATA.format(number), table)
        (root / VIDEO.format(number)).parent.mkdir(parents=True, exist_ok=True)
        shutil.move(one / "videos" / IMAGE / "chunk-000" / "file-000.mp4", root / VIDEO.format(number))
        shutil.rmtree(one)
    info = layout.read_json(golden / layout.INFO)
    info |= {"codebase_version": "v2.1", "total_chunks": 1, "total_videos": 4}
    info["data_path"] = "data/chunk-{episode_chunk:03d}/episode_{episode_index:06d}.parquet"
    info["video_path"] = "videos/chunk-{episode_chunk:03d}/{video_key}/episode_{episode_index:06d}.mp4"
    layout.write_json(root / layout.INFO, info)
    lines(root / "meta" / "tasks.jsonl", [{"task_index": at, "task": task} for at, task in enumerate(source.tasks)])
    rows = [{"episode_index": e.index, "tasks": list(e.tasks), "length": e.length} for e in source.episodes]
    lines(root / "meta" / "episodes.jsonl", rows)
    stats = [{"episode_index": number, "stats": found} for number, found in enumerate(stats_of(golden))]
    lines(root / "meta" / "episodes_stats.jsonl", stats)
    return root


def same(golden: Path, root: Path) -> None:
    """Rows, pictures and tasks of the golden dataset."""
    ours, theirs = open_reader(root), open_reader(golden)
    assert [episode.tasks for episode in ours.episodes] == [episode.tasks for episode in theirs.episodes]
    for index in [*range(0, 158, 11), 157]:
        mine, yours = ours.frames(index), theirs.frames(index)
        assert mine["task"] == yours["task"]
        for key in ("action", "timestamp", "next.done", "index", "episode_index", IMAGE):
            np.testing.assert_array_equal(mine[key], yours[key], key)


def test_it_is_refused_with_the_command(old: Path) -> None:
    with pytest.raises(StorageError) as caught:
        open_reader(old)
    assert caught.value.fix == f"lr dataset convert {old}"


def test_in_place(old: Path, golden: Path) -> None:
    result = CliRunner().invoke(app, ["convert", str(old), "--json"])
    assert json.loads(result.stdout.splitlines()[-1]) == {"root": str(old), "episodes": 4, "frames": 158}
    same(golden, old)
    warnings = [problem.text for problem in verify(old)]
    assert warnings == [f"{IMAGE} has no q01, q10, q50, q90, q99"]
    files = {path.relative_to(old).as_posix() for path in old.rglob("*") if path.is_file()}
    assert not any("episode_" in name or name.endswith(".jsonl") or ".lr" in name for name in files)
    assert len([name for name in files if name.endswith(".mp4")]) == 1


def test_statistics_of_numbers_are_as_a_recorder_would_have_them(old: Path, golden: Path, tmp_path: Path) -> None:
    CliRunner().invoke(app, ["convert", str(old), "--to", str(tmp_path / "new")])
    ours, theirs = open_reader(tmp_path / "new").stats, open_reader(golden).stats
    for stat in ("min", "max", "mean", "std", "count", "q01", "q99"):
        np.testing.assert_allclose(ours["action"][stat], theirs["action"][stat], rtol=1e-4)
    np.testing.assert_allclose(ours[IMAGE]["mean"], theirs[IMAGE]["mean"], rtol=1e-6)
    assert layout.read_json(old / layout.INFO)["codebase_version"] == "v2.1"


def test_version_2_0_has_no_statistics_by_episode(old: Path, golden: Path) -> None:
    (old / "meta" / "episodes_stats.jsonl").unlink()
    info = layout.read_json(old / layout.INFO) | {"codebase_version": "v2.0"}
    layout.write_json(old / layout.INFO, info)
    CliRunner().invoke(app, ["convert", str(old)])
    same(golden, old)
    assert verify(old) == []
    assert abs(open_reader(old).stats[IMAGE]["mean"].mean() - 0.977) < 0.01


def test_a_missing_video(old: Path) -> None:
    (old / VIDEO.format(2)).unlink()
    result = CliRunner().invoke(app, ["convert", str(old)])
    assert isinstance(result.exception, StorageError)
    assert "episode_000002.mp4 is missing" in str(result.exception)
    assert (old / VIDEO.format(1)).is_file()


def test_a_video_shorter_than_its_rows(old: Path) -> None:
    shutil.copyfile(old / VIDEO.format(1), old / VIDEO.format(0))
    result = CliRunner().invoke(app, ["convert", str(old)])
    assert "25 frames for 40 rows" in str(result.exception)


def test_a_video_longer_than_its_rows_is_cut(old: Path, golden: Path) -> None:
    shutil.copyfile(old / VIDEO.format(0), old / VIDEO.format(1))
    CliRunner().invoke(app, ["convert", str(old)])
    assert [problem for problem in verify(old) if problem.level == "error"] == []
    reader = open_reader(old)
    np.testing.assert_array_equal(reader.frames(50)[IMAGE], open_reader(golden).frames(10)[IMAGE])


def test_rows_that_were_lost(old: Path) -> None:
    table = parquet.read(old / DATA.format(3), old)
    parquet.write(old / DATA.format(3), table.slice(0, 5))
    result = CliRunner().invoke(app, ["convert", str(old)])
    assert "has 5 rows" in str(result.exception)


@pytest.mark.parametrize("version", ["v1.6", "v2.2", "v3.0", ""])
def test_other_versions(old: Path, version: str) -> None:
    layout.write_json(old / layout.INFO, layout.read_json(old / layout.INFO) | {"codebase_version": version})
    result = CliRunner().invoke(app, ["convert", str(old)])
    assert "only v2.0 and v2.1" in str(result.exception)


def test_paths_that_leave_the_dataset(old: Path) -> None:
    info = layout.read_json(old / layout.INFO) | {"data_path": "../{episode_chunk}/{episode_index}.parquet"}
    layout.write_json(old / layout.INFO, info)
    assert "leads out of the dataset" in str(CliRunner().invoke(app, ["convert", str(old)]).exception)
