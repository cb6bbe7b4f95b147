"""Edits: what is kept is untouched, what is renumbered fits, the lint agrees, and a failed edit changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from lerobot_core.errors import StorageError, UsageError
from lerobot_core.types import Feature
from lerobot_storage_v3 import layout, schema
from lerobot_storage_v3.edits import operations
from lerobot_storage_v3.edits.choosing import parse_episodes, parse_parts
from lerobot_storage_v3.edits.recode import reencode
from lerobot_storage_v3.edits.statistics import recompute
from lerobot_storage_v3.edits.swap import exchange
from lerobot_storage_v3.reader import LerobotReader, open_reader
from lerobot_storage_v3.verify import verify

FRONT = "observation.images.front"
WORSE = {"g": "12", "bf": "3", "b-adapt": "0", "crf": "12"}


def check(made: Any, root: Path, indices: list[int], close: int = 3) -> LerobotReader:
    """`root` holds exactly these frames of `made`, in order, and the lint has nothing against it."""
    assert [problem for problem in verify(root) if "unusual" not in problem.text] == []
    reader = open_reader(root)
    assert len(reader) == len(indices)
    for place, index in enumerate(indices):
        row = reader.frames(place)
        np.testing.assert_array_equal(row["observation.state"], made.states[index])
        for camera in made.cameras:
            shown = row[f"observation.images.{camera}"]
            assert abs(float(shown[:, :24].mean()) - made.level(camera, index)) < close, (place, index)
    return reader


def span(*ranges: tuple[int, int]) -> list[int]:
    return [index for start, stop in ranges for index in range(start, stop)]


def frozen(root: Path) -> dict[str, bytes]:
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


@pytest.mark.parametrize("how", [{}, {"file_per_episode": True}, {"codec": WORSE}, {"as_images": True}])
def test_deleting_from_the_middle(make: Callable[..., Any], tmp_path: Path, how: dict[str, Any]) -> None:
    made = make(outcomes=("success", "failure", "none"), **how)
    before = frozen(made.root)
    out = operations.edit(made.root, tmp_path / "out", lambda to: operations.keep(made.root, to, [0, 2]))
    reader = check(made, out, span((0, 12), (19, 39)))
    assert [episode.outcome for episode in reader.episodes] == ["success", "none"]
    assert [episode.tasks for episode in reader.episodes] == [("pick",), ("pick",)]
    assert list(reader.tasks) == ["pick"]
    assert frozen(made.root) == before


def test_deleting_in_place(made: Any) -> None:
    (made.root / "README.md").write_text("mine")
    layout.write_sidecar(made.root, schema.sidecar_features({"pan.pos": Feature(unit="deg")}, {}))
    operations.edit(made.root, None, lambda to: operations.keep(made.root, to, [1]))
    reader = check(made, made.root, span((12, 19)))
    assert reader.observation["pan.pos"].unit == "deg"
    assert (made.root / "README.md").read_text() == "mine"
    assert [path.name for path in made.root.parent.iterdir()] == [made.root.name]


def test_in_another_order(make: Callable[..., Any], tmp_path: Path) -> None:
    made = make(file_per_episode=True)
    operations.edit(made.root, tmp_path / "out", lambda to: operations.keep(made.root, to, [2, 0, 1]))
    check(made, tmp_path / "out", span((19, 39), (0, 12), (12, 19)))


def test_whole_files_are_linked_not_copied(make: Callable[..., Any], tmp_path: Path) -> None:
    made = make(file_per_episode=True)
    operations.edit(made.root, tmp_path / "out", lambda to: operations.keep(made.root, to, [1, 2]))
    video = "videos/observation.images.front/chunk-000/file-{:03d}.mp4"
    assert (tmp_path / "out" / video.format(0)).samefile(made.root / video.format(1))


def test_a_cut_between_key_frames_is_encoded(make: Callable[..., Any], tmp_path: Path) -> None:
    made = make(codec={"g": "250", "bf": "0", "crf": "12"}, lengths=(10, 15, 5))
    operations.edit(made.root, tmp_path / "out", lambda to: operations.keep(made.root, to, [1, 2]))
    check(made, tmp_path / "out", span((10, 30)), close=6)


def test_statistics_follow_the_episodes(made: Any, tmp_path: Path) -> None:
    operations.edit(made.root, tmp_path / "out", lambda to: operations.keep(made.root, to, [1]))
    found = open_reader(tmp_path / "out").stats
    assert found["index"]["max"] == [6]
    assert found["episode_index"]["max"] == [0]
    assert found["action"]["count"] == [39]  # the builder gives every episode the whole dataset's


def test_merging(make: Callable[..., Any], tmp_path: Path) -> None:
    one, two = make(lengths=(4, 6)), make(lengths=(4, 6), file_per_episode=True, tasks=("place", "stack"))
    operations.edit(one.root, tmp_path / "out", lambda to: operations.merge([one.root, two.root], to))
    reader = check(one, tmp_path / "out", [*range(10), *range(10)])
    assert list(reader.tasks) == ["pick", "place", "stack"]
    assert [episode.tasks[0] for episode in reader.episodes] == ["pick", "place", "place", "stack"]


@pytest.mark.parametrize(
    ("change", "text"),
    [({"fps": 20}, "fps"), ({"names": ("a", "b", "c")}, "names"), ({"cameras": ("front",)}, "wrist")],
)
def test_what_does_not_fit_is_not_merged(make: Callable[..., Any], tmp_path: Path, change: Any, text: str) -> None:
    one, two = make(), make(**change)
    with pytest.raises(StorageError, match=text):
        operations.edit(one.root, tmp_path / "out", lambda to: operations.merge([one.root, two.root], to))
    assert not (tmp_path / "out").exists()


def test_removing_a_number_and_a_camera(make: Callable[..., Any]) -> None:
    entry = {"dtype": "float32", "shape": [1], "names": None}
    made = make(extra={"next.reward": (entry, float)})
    operations.edit(made.root, None, lambda to: operations.remove_features(made.root, to, ["next.reward", FRONT]))
    made.cameras = ("front", "wrist")
    reader = open_reader(made.root)
    assert verify(made.root) == []
    assert list(reader.info.features)[:3] == ["action", "observation.state", "observation.images.wrist"]
    assert made.shows(reader.frames(20)["observation.images.wrist"], "wrist", 20)
    assert not (made.root / "videos" / FRONT).exists()
    assert "next.reward" not in reader.stats


@pytest.mark.parametrize(("key", "text"), [("timestamp", "cannot be removed"), ("acton", "did you mean 'action'")])
def test_what_cannot_be_removed(made: Any, key: str, text: str) -> None:
    before = frozen(made.root)
    with pytest.raises(UsageError, match=text):
        operations.edit(made.root, None, lambda to: operations.remove_features(made.root, to, [key]))
    assert frozen(made.root) == before


def test_adding_a_feature(made: Any) -> None:
    values = np.arange(78, dtype=np.float32).reshape(39, 2)
    entry = {"dtype": "float32", "shape": [2], "names": ["a", "b"]}
    operations.edit(made.root, None, lambda to: operations.add_feature(made.root, to, "force", entry, values))
    reader = check(made, made.root, list(range(39)))
    np.testing.assert_array_equal(reader.frames(30)["force"], values[30])
    assert list(reader.info.features)[-6:] == ["force", *schema.BOOKKEEPING]
    np.testing.assert_allclose(reader.stats["force"]["max"], [76, 77])
    with pytest.raises(UsageError, match="already"):
        operations.add_feature(made.root, made.root / "x", "force", entry, values)
    with pytest.raises(UsageError, match=r"shape \(3, 2\)"):
        operations.add_feature(made.root, made.root / "x", "torque", entry, values[:3])


def test_other_tasks(made: Any) -> None:
    build = operations.retask
    operations.edit(made.root, None, lambda to: build(made.root, to, {1: "turn"}, {"pick": "lift"}))
    reader = check(made, made.root, list(range(39)))
    assert list(reader.tasks) == ["lift", "turn"]
    assert [episode.tasks for episode in reader.episodes] == [("lift",), ("turn",), ("lift",)]
    assert reader.frames(13)["task"] == "turn"
    with pytest.raises(UsageError, match="did you mean 'lift'"):
        build(made.root, made.root / "x", {}, {"lif": "x"})


@pytest.mark.parametrize("how", [{}, {"codec": WORSE}])
def test_encoding_again(make: Callable[..., Any], how: dict[str, Any]) -> None:
    made = make(**how)
    operations.edit(made.root, None, lambda to: reencode(made.root, to, "av1", 30, 4))
    reader = check(made, made.root, list(range(39)), close=6)
    assert reader.info.features[FRONT]["info"]["video.codec"] == "av1"
    with av.open(str(made.root / "videos" / FRONT / "chunk-000" / "file-000.mp4")) as video:
        assert video.streams.video[0].codec_context.codec.canonical_name == "av1"


def test_pictures_become_videos(make: Callable[..., Any]) -> None:
    made = make(as_images=True)
    build = operations.images_to_video
    operations.edit(made.root, None, lambda to: build(made.root, to, "h264", 18, 2))
    reader = check(made, made.root, list(range(39)), close=6)
    assert reader.info.video_keys == [FRONT, "observation.images.wrist"]
    assert len(reader.episodes.video_files[FRONT]) == 1
    assert not (made.root / ".lr").exists()
    with pytest.raises(UsageError, match="keeps no pictures"):
        build(made.root, made.root / "x", "h264", 18, 2)


def test_statistics_again(made: Any) -> None:
    stats = layout.read_json(made.root / layout.STATS)
    stats["action"]["mean"] = [9.0, 9.0, 9.0]
    del stats["observation.state"]["q99"]
    layout.write_json(made.root / layout.STATS, stats)
    operations.edit(made.root, None, lambda to: recompute(made.root, to, images=True))
    reader = check(made, made.root, list(range(39)))
    np.testing.assert_allclose(reader.stats["action"]["mean"], made.actions.mean(axis=0), atol=1e-5)
    np.testing.assert_allclose(reader.stats["observation.state"]["max"], made.states.max(axis=0))
    assert abs(reader.stats[FRONT]["mean"].ravel()[0] - 0.5) < 0.01
    assert reader.stats[FRONT]["mean"].shape == (3, 1, 1)


def test_language_survives_an_edit(make: Callable[..., Any], tmp_path: Path) -> None:
    import pyarrow as pa
    from lerobot_storage_v3 import parquet

    made = make()
    said = [{"role": "user", "content": "go", "style": None}]
    path = made.root / "data" / "chunk-000" / "file-000.parquet"
    table = parquet.read(path, made.root)
    column = pa.array([said if index == 20 else [] for index in range(39)])
    parquet.write(path, table.append_column("language_events", column), made.lengths)
    made.info.features["language_events"] = {"dtype": "language", "shape": [1], "names": None}
    layout.write_info(made.root, made.info)
    operations.edit(made.root, tmp_path / "out", lambda to: operations.keep(made.root, to, [2]))
    assert open_reader(tmp_path / "out").frames(1)["language_events"] == said


def test_an_edit_that_fails_changes_nothing(make: Callable[..., Any]) -> None:
    short, made = make(lengths=(12, 7, 18)), make()
    video = Path("videos") / FRONT / "chunk-000" / "file-000.mp4"
    (made.root / video).write_bytes((short.root / video).read_bytes())
    before = frozen(made.root)
    with pytest.raises(StorageError, match="18 frames for 20 rows"):
        operations.edit(made.root, None, lambda to: operations.keep(made.root, to, [0, 2]))
    assert frozen(made.root) == before
    assert not list(made.root.parent.glob(".*"))


def test_nothing_left_is_no_dataset(made: Any) -> None:
    with pytest.raises(StorageError, match="no episode would be left"):
        operations.edit(made.root, None, lambda to: operations.keep(made.root, to, []))
    check(made, made.root, list(range(39)))


def test_a_folder_in_use_is_not_overwritten(made: Any, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.txt").write_text("x")
    with pytest.raises(StorageError, match="nothing is overwritten"):
        operations.edit(made.root, tmp_path / "out", lambda to: operations.keep(made.root, to, [0]))


def test_the_exchange_is_there_on_both_roads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for platform in ("linux", "somewhere"):
        monkeypatch.setattr("lerobot_storage_v3.edits.swap.sys.platform", platform)
        new, old = tmp_path / f".{platform}.new", tmp_path / platform
        for folder, text in ((new, "new"), (old, "old")):
            folder.mkdir()
            (folder / "which").write_text(text)
        exchange(new, old)
        assert ((old / "which").read_text(), (new / "which").read_text()) == ("new", "old")


@pytest.mark.parametrize(("text", "expected"), [("3,7-9", [3, 7, 8, 9]), ("0", [0]), ("2-3, 3", [2, 3])])
def test_which_episodes(text: str, expected: list[int]) -> None:
    assert parse_episodes(text, 10) == expected


@pytest.mark.parametrize("text", ["", "x", "10", "5-3", "-1", "1-", "0-10"])
def test_which_episodes_are_none(text: str) -> None:
    with pytest.raises(UsageError):
        parse_episodes(text, 10)


def test_parts() -> None:
    assert parse_parts(["train=0.8", "val=0.2"], 10) == {"train": list(range(8)), "val": [8, 9]}
    assert parse_parts(["a=0.5"], 3) == {"a": [0, 1]}
    assert parse_parts(["train=0-7", "val=9"], 10) == {"train": list(range(8)), "val": [9]}


@pytest.mark.parametrize(
    "words", [["a=0.8", "b=0.3"], ["a"], ["a=0-3", "b=3"], ["a=0.1", "b=0.01"], ["a=0.5", "a=0.5"]]
)
def test_parts_that_are_none(words: list[str]) -> None:
    with pytest.raises(UsageError):
        parse_parts(words, 5)
