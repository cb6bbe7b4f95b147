"""Power loss: what is flushed before what, and a stage that can be finished from wherever it was interrupted."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lerobot_storage_v3.durability import write_file
from lerobot_storage_v3.stage import MANIFEST, Stage

MOVES = [
    ("a.mp4", "videos/k/chunk-000/file-000.mp4"),
    ("b.parquet", "data/file-000.parquet"),
    ("c.json", "meta/info.json"),
]
DELETES = ["data/file-001.parquet", "data/file-002.parquet"]


@pytest.fixture
def log(monkeypatch):
    """What the disk is told, in order: ("sync", name) and ("move", name)."""
    seen: list[tuple[str, str]] = []
    sync, move = os.fsync, os.replace

    def fsync(fd: int) -> None:
        seen.append(("sync", Path(os.readlink(f"/proc/self/fd/{fd}")).name))
        sync(fd)

    def replace(source: str | Path, target: str | Path) -> None:
        seen.append(("move", Path(source).name))
        move(source, target)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(os, "replace", replace)
    return seen


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="needs /proc to name open files")
def test_everything_is_on_the_disk_before_anything_moves(bench, log):
    storage = bench.open()
    for index in range(3):
        storage.add_frame(bench.rig.step(index))
    log.clear()
    ticket = storage.save_episode()
    assert ticket.wait(60)
    storage.finalize()
    places = {entry: number for number, entry in reversed(list(enumerate(log)))}
    staged = [name for what, name in log if what == "move" and not name.startswith("episode")]
    manifest = places["sync", MANIFEST]
    assert staged[-1] == "info.json"
    assert staged[0].endswith(".mp4")
    assert all(places["sync", name] < manifest for name in staged)
    assert manifest < places["sync", "episode-000000"] < places["move", staged[0]]
    after = [name for what, name in log[places["move", "info.json"] :] if what == "sync"]
    assert {"meta", "data", "chunk-000"} <= set(after)
    # The stage goes last: until the moves themselves are on the disk, its manifest would repeat them.
    assert log[-1] == ("move", "episode-000000")


def test_a_ticket_is_done_only_after_info_json_moved(bench, monkeypatch):
    storage = bench.open()
    storage.add_frame(bench.rig.step(0))
    done_at: list[bool] = []
    move = os.replace

    def replace(source: str | Path, target: str | Path) -> None:
        done_at.append(ticket.done)
        move(source, target)

    monkeypatch.setattr(os, "replace", replace)
    ticket = storage.save_episode()
    assert ticket.wait(60)
    storage.finalize()
    assert done_at[:-1] == [False] * (len(done_at) - 1)


def make(root: Path) -> Stage:
    stage = Stage(root, "compact-000000", "compact").create()
    for target in DELETES:
        (root / target).parent.mkdir(parents=True, exist_ok=True)
        (root / target).write_text("old")
    stage.commit(MOVES, DELETES, [write_file(stage.path(name), name.encode()) for name, _ in MOVES])
    return stage


@settings(max_examples=40, deadline=None)
@given(moved=st.sets(st.integers(0, 2)), deleted=st.sets(st.integers(0, 1)))
def test_a_committed_stage_is_finished_from_wherever_it_was(tmp_path_factory, moved, deleted):
    root = tmp_path_factory.mktemp("root")
    stage = make(root)
    stage.move([MOVES[number] for number in moved])
    stage.delete([DELETES[number] for number in deleted])
    assert Stage(root, "compact-000000", "compact").roll_forward()
    assert [(root / target).read_text() for _, target in MOVES] == [name for name, _ in MOVES]
    assert not any((root / target).exists() for target in DELETES)
    assert list((root / ".lr").iterdir()) == []


@pytest.mark.parametrize("manifest", ["", "{", '{"moves": 3}', '{"moves": [["a"]], "deletes": []}', "\0" * 64])
def test_a_torn_manifest_commits_nothing(tmp_path, manifest):
    stage = Stage(tmp_path, "episode-000000").create()
    stage.path(MANIFEST).write_text(manifest)
    assert not stage.roll_forward()
    assert stage.folder.exists()


def test_a_manifest_says_what_it_is(tmp_path):
    make(tmp_path)
    assert json.loads((tmp_path / ".lr/compact-000000" / MANIFEST).read_text())["schema"] == 1
