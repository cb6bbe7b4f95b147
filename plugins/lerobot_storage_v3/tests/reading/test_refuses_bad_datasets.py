"""What cannot be read says what, where, and the command that mends it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from lerobot_core.errors import StorageError
from lerobot_storage_v3 import layout, parquet
from lerobot_storage_v3.reader import open_reader

DATA = "data/chunk-000/file-000.parquet"
VIDEO = "videos/observation.images.front/chunk-000/file-000.mp4"
EPISODES = "meta/episodes/chunk-000/file-000.parquet"


def refusal(root: Path, index: int | None = None) -> StorageError:
    """The error of opening, or of reading row `index`."""
    with pytest.raises(StorageError) as caught:
        open_reader(root).frames(index or 0)
    return caught.value


def with_info(made: Any, **changes: Any) -> Path:
    info = layout.read_json(made.root / layout.INFO) | changes
    layout.write_json(made.root / layout.INFO, info)
    return Path(made.root)


@pytest.mark.parametrize(
    ("version", "command"),
    [
        ("v2.1", "lr dataset convert"),
        ("v2.0", "lr dataset convert"),
        ("v4.0", "pip install --upgrade"),
        ("v1.6", "v2.1"),
    ],
)
def test_another_major_version(made: Any, version: str, command: str) -> None:
    error = refusal(with_info(made, codebase_version=version))
    assert version in error.what
    assert str(made.root) in error.what
    assert command in error.fix


def test_no_folder(tmp_path: Path) -> None:
    error = refusal(tmp_path / "nowhere")
    assert "does not exist" in error.why


def test_a_folder_that_is_no_dataset(tmp_path: Path) -> None:
    assert "is not a dataset" in refusal(tmp_path).what


def test_info_json_is_gone(made: Any) -> None:
    (made.root / layout.INFO).unlink()
    assert f"lr dataset repair {made.root}" in refusal(made.root).fix


@pytest.mark.parametrize("text", ["{", "[]", "\xff"])
def test_info_json_is_broken(made: Any, text: str) -> None:
    (made.root / layout.INFO).write_bytes(text.encode("latin-1"))
    assert "lr dataset repair" in refusal(made.root).fix


@pytest.mark.parametrize(
    "changes",
    [
        {"data_path": "../../data/{chunk_index}/{file_index}.parquet"},
        {"video_path": "/etc/{video_key}-{chunk_index}-{file_index}"},
        {"features": {"../x": {"dtype": "video", "shape": [1, 1, 3], "names": None}}},
    ],
)
def test_paths_that_leave_the_dataset(made: Any, changes: dict[str, Any]) -> None:
    assert "leads out of the dataset" in refusal(with_info(made, **changes)).what


@pytest.mark.parametrize("template", ["data/{episode}.parquet", "data/{chunk_index.x}", "data/{"])
def test_templates_that_are_none(made: Any, template: str) -> None:
    assert "not a path template" in refusal(with_info(made, data_path=template)).what


@pytest.mark.parametrize("fps", [0, -3, 29.97, "30"])
def test_a_rate_the_format_does_not_have(made: Any, fps: Any) -> None:
    assert "whole numbers" in refusal(with_info(made, fps=fps)).why


@pytest.mark.parametrize("name", [DATA, EPISODES, layout.TASKS])
@pytest.mark.parametrize("left", [0, 4, 500])
def test_a_truncated_table(made: Any, name: str, left: int) -> None:
    path = made.root / name
    path.write_bytes(path.read_bytes()[:left])
    error = refusal(made.root)
    assert name in error.what
    assert f"lr dataset repair {made.root}" in error.fix


def test_a_missing_data_file(made: Any) -> None:
    (made.root / DATA).unlink()
    error = refusal(made.root)
    assert f"{DATA} is missing" in error.what
    assert "lr dataset pull" in error.fix


def test_a_missing_video(made: Any) -> None:
    (made.root / VIDEO).unlink()
    assert f"{VIDEO} is missing" in refusal(made.root).what


@pytest.mark.parametrize("left", [0, 100])
def test_a_video_that_is_none(made: Any, left: int) -> None:
    path = made.root / VIDEO
    path.write_bytes(path.read_bytes()[:left])
    assert f"{VIDEO} in {made.root} is damaged" in refusal(made.root).what


def test_a_video_cut_off(made: Any) -> None:
    path = made.root / VIDEO
    path.write_bytes(path.read_bytes()[:-4000])
    error = refusal(made.root, 38)
    assert VIDEO in error.what
    assert "lr dataset" in error.fix


def test_a_video_shorter_than_its_rows(make: Callable[..., Any]) -> None:
    short, made = make(lengths=(12, 7)), make()
    (made.root / VIDEO).write_bytes((short.root / VIDEO).read_bytes())
    error = refusal(made.root, 30)
    assert "has no frame at 3.000 s" in error.what
    assert "it holds 19 frames" in error.why
    open_reader(made.root).frames(18)


def test_rows_missing_from_the_data_file(made: Any) -> None:
    table = parquet.read(made.root / DATA, made.root)
    parquet.write(made.root / DATA, table.slice(0, 20))
    assert "row 25 was asked for, the file has 20" in refusal(made.root, 25).why


def test_a_column_missing_from_the_data_file(made: Any) -> None:
    table = parquet.read(made.root / DATA, made.root)
    parquet.write(made.root / DATA, table.drop_columns(["action"]))
    error = refusal(made.root)
    assert "has no column 'action'" in error.what
    assert "lr dataset verify" in error.fix


@pytest.mark.parametrize("column", ["dataset_from_index", "videos/observation.images.front/from_timestamp"])
def test_a_column_missing_from_the_episodes(made: Any, column: str) -> None:
    table = parquet.read(made.root / EPISODES, made.root)
    parquet.write(made.root / EPISODES, table.drop_columns([column]))
    assert column in refusal(made.root).what


def test_an_episode_missing_from_the_table(made: Any) -> None:
    table = parquet.read(made.root / EPISODES, made.root)
    parquet.write(made.root / EPISODES, table.take([0, 2]))
    assert "episode 1 is missing" in refusal(made.root).what


def test_a_task_index_nobody_knows(made: Any) -> None:
    table = parquet.read(made.root / layout.TASKS, made.root)
    parquet.write(made.root / layout.TASKS, table.slice(0, 1))
    error = refusal(made.root, 15)
    assert "has task_index 1" in error.what


def test_a_task_table_with_gaps(made: Any) -> None:
    table = parquet.read(made.root / layout.TASKS, made.root)
    parquet.write(made.root / layout.TASKS, table.slice(1, 1))
    assert "gaps or repeats" in refusal(made.root).what


@pytest.mark.parametrize("name", ["a", "a/b/c", "../x", "a/../b", "a--b/c", "-a/b", "a/.b", "org/na me", ""])
def test_what_is_no_repository_id(name: str) -> None:
    assert not layout.is_repo_id(name)


@pytest.mark.parametrize("name", ["org/name", "my-lab/cube_in.bin", "A1/b-2"])
def test_what_is_a_repository_id(name: str) -> None:
    assert layout.is_repo_id(name)


def test_below_the_home_folder_by_name(made: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "home"
    (home / "org").mkdir(parents=True)
    (home / "org" / "name").symlink_to(made.root)
    monkeypatch.setenv("HF_LEROBOT_HOME", str(home))
    assert len(open_reader("org/name")) == 39
