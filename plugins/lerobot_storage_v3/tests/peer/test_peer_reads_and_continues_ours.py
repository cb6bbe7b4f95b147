"""The peer opens what we write, frame for frame, and each goes on where the other stopped.

Runs where LEROBOT_PEER_PYTHON names a Python that has lerobot 0.6: `pytest -m slow plugins/lerobot_storage_v3/tests/peer`.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from lerobot_core.clock import RealClock
from lerobot_core.specs import Parts
from lerobot_core.types import Feature, Observation, Step
from lerobot_storage_v3 import layout, parquet
from lerobot_storage_v3.config import LerobotStorageConfig
from lerobot_storage_v3.episodes_meta import STATS, stat_column
from lerobot_storage_v3.reader import open_reader
from lerobot_storage_v3.repair import repair
from lerobot_storage_v3.writer import LerobotStorage

PEER = os.environ.get("LEROBOT_PEER_PYTHON", "")
SCRIPT = Path(__file__).with_name("peer_process.py")
CAMERAS = ("front", "wrist")
JOINTS = {name: Feature("float32", (), "deg") for name in ("pan.pos", "grip.pos")}

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(600),
    pytest.mark.skipif(not PEER, reason="LEROBOT_PEER_PYTHON is not set"),
]


def picture(camera: str, index: int) -> np.ndarray:
    return np.full((48, 64, 3), 20 + (index * 7 + 50 * CAMERAS.index(camera)) % 200, np.uint8)


def step(index: int) -> Step:
    values: dict[str, Any] = {"pan.pos": index / 4, "grip.pos": -index / 2}
    values |= {name: picture(name, index) for name in CAMERAS}
    sent = {"pan.pos": index / 8, "grip.pos": index / 16}
    return Step(index, index / 10, Observation(values, index / 10), sent, sent, "policy", task="pick")


@pytest.fixture
def peer(tmp_path: Path) -> Callable[..., None]:
    def run(*arguments: object) -> None:
        home = {"HF_HOME": str(tmp_path / "home"), "HF_HUB_OFFLINE": "1"}
        command = [PEER, str(SCRIPT), *map(str, arguments)]
        done = subprocess.run(command, env=os.environ | home, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr[-3000:]

    return run


@pytest.fixture
def ours() -> Callable[..., None]:
    def record(root: Path, *episodes: range, resume: bool = False, **options: Any) -> None:
        storage = LerobotStorage(LerobotStorageConfig(root=root, **options), Parts(clock=RealClock()))
        cameras = {name: Feature("uint8", (48, 64, 3)) for name in CAMERAS}
        storage.open(JOINTS | cameras, JOINTS, 10, "fake", "pick", resume)
        for rows in episodes:
            for index in rows:
                storage.add_frame(step(index))
            assert storage.save_episode("success").wait(60)
        storage.finalize()

    return record


def read_by_peer(peer: Callable[..., None], root: Path, tmp_path: Path) -> tuple[dict[str, Any], Any]:
    out = tmp_path / "peer.npz"
    peer("read", root, out)
    found = np.load(out)
    return json.loads(str(found["meta"])), found


def frames_are_those_of(found: Any, rows: list[int]) -> None:
    assert np.allclose(found["observation.state"][:, 0], np.array(rows) / 4)
    assert np.allclose(found["action"][:, 0], np.array(rows) / 8)
    for camera in CAMERAS:
        shown = found[f"observation.images.{camera}"].reshape(len(rows), -1).mean(axis=1)
        wanted = [picture(camera, index).mean() for index in rows]
        assert np.abs(shown - wanted).max() < 3


@pytest.mark.parametrize("compact", [False, True])
@pytest.mark.parametrize("codec", ["auto", "hevc", "av1", "png"])
def test_frame_for_frame(peer, ours, tmp_path, compact, codec):
    root = tmp_path / "set"
    if codec != "auto" and not compact:
        pytest.skip("once is enough")
    ours(root, range(7), range(7, 8), range(8, 20), compact=compact, codec=codec)
    meta, found = read_by_peer(peer, root, tmp_path)
    assert (meta["episodes"], meta["fps"]) == (3, 10)
    frames_are_those_of(found, list(range(20)))
    assert np.allclose(found["requested_action"], found["action"])
    reader = open_reader(root)
    for index in range(20):
        row = reader.frames(index)
        for camera in CAMERAS:
            key = f"observation.images.{camera}"
            assert np.abs(row[key].astype(int) - found[key][index].astype(int)).max() <= 2


def test_between_two_episodes_of_a_running_recording(peer, tmp_path):
    root = tmp_path / "set"
    storage = LerobotStorage(LerobotStorageConfig(root=root), Parts(clock=RealClock()))
    storage.open(JOINTS | {name: Feature("uint8", (48, 64, 3)) for name in CAMERAS}, JOINTS, 10, "fake", "pick", False)
    for rows in (range(6), range(6, 10)):
        for index in rows:
            storage.add_frame(step(index))
        assert storage.save_episode().wait(60)
        storage.add_frame(step(rows.stop))
        _, found = read_by_peer(peer, root, tmp_path)
        frames_are_those_of(found, list(range(rows.stop)))
        storage.discard_episode()
    storage.finalize()


def test_the_peer_goes_on_where_we_stopped(peer, ours, tmp_path):
    root = tmp_path / "set"
    ours(root, range(5), range(5, 9), extras="none")
    peer("resume", root, 9, 6)
    meta, found = read_by_peer(peer, root, tmp_path)
    assert meta["episodes"] == 3
    frames_are_those_of(found, list(range(15)))
    assert repair(root) == []
    reader = open_reader(root)
    assert [episode.length for episode in reader.episodes] == [5, 4, 6]
    assert np.allclose(reader.frames(14)["observation.state"][0], 14 / 4)


def test_we_go_on_where_the_peer_stopped(peer, ours, tmp_path):
    root = tmp_path / "set"
    peer("create", root, 0, 8)
    ours(root, range(8, 12), range(12, 15), resume=True, extras="none")
    meta, found = read_by_peer(peer, root, tmp_path)
    assert meta["episodes"] == 3
    frames_are_those_of(found, list(range(15)))
    peer("resume", root, 15, 5)
    ours(root, range(20, 23), resume=True, extras="none")
    _, found = read_by_peer(peer, root, tmp_path)
    frames_are_those_of(found, list(range(23)))
    assert repair(root) == []


def test_statistics_of_the_same_rows(peer, ours, tmp_path):
    """Numbers to the bit; pictures within what float32 sums cost the peer at this size."""
    theirs, mine = tmp_path / "theirs", tmp_path / "mine"
    peer("create", theirs, 0, 30)
    ours(mine, range(30), extras="none")
    assert list(layout.read_info(mine).features) == list(layout.read_info(theirs).features)
    tables = [pq.read_table(root / layout.episodes_file(0, 0)) for root in (theirs, mine)]
    assert tables[0].schema.names == tables[1].schema.names
    assert [str(field.type) for field in tables[0].schema] == [str(field.type) for field in tables[1].schema]
    for key in layout.read_info(mine).features:
        for name in STATS:
            wanted, found = (np.array(table[stat_column(key, name)][0].as_py()) for table in tables)
            assert wanted.shape == found.shape
            if "image" in key:
                # Sums of 92 thousand pixels in float32 are off by 5e-4 already.
                near = 1e-3 if name in ("mean", "std") else 1e-7
                assert np.allclose(wanted, found, rtol=0, atol=near), (key, name)
            else:
                assert np.array_equal(wanted, found), (key, name)


def test_files_look_like_the_peers(peer, ours, tmp_path):
    theirs, mine = tmp_path / "theirs", tmp_path / "mine"
    peer("create", theirs, 0, 6)
    ours(mine, range(6), extras="none")
    data = [pq.ParquetFile(root / "data/chunk-000/file-000.parquet") for root in (theirs, mine)]
    assert data[0].schema_arrow.equals(data[1].schema_arrow)
    described = [json.loads(file.schema_arrow.metadata[b"huggingface"])["info"] for file in data]
    assert described[0] == described[1]
    for name in ("timestamp", "frame_index", "index", "episode_index", "task_index"):
        first, second = (parquet.column(file.read(), name) for file in data)
        assert np.array_equal(first, second)
    info = [layout.read_json(root / layout.INFO) for root in (theirs, mine)]
    assert list(info[0]) == list(info[1])
    for key, entry in info[0]["features"].items():
        ours_entry = info[1]["features"][key]
        assert {name: entry[name] for name in ("dtype", "shape", "names")} == {
            name: ours_entry[name] for name in ("dtype", "shape", "names")
        }
        assert set(entry.get("info", ())) == set(ours_entry.get("info", ()))
