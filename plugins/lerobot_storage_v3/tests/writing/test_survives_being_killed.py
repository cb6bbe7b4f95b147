"""SIGKILL at points drawn over the bytes written and over each step of saving and of merging.

Ten points here; two hundred with `pytest -m slow`.
"""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
from pathlib import Path

import av
import numpy as np
import pyarrow.parquet as pq
import pytest
from lerobot_storage_v3 import layout
from lerobot_storage_v3.reader import open_reader
from lerobot_storage_v3.repair import repair

SCRIPT = Path(__file__).with_name("recorder_process.py")
LENGTHS = (5, 1, 8, 3, 6, 4, 7, 2, 9, 5)
FEW = [
    ("bytes", 60_000),
    ("bytes", 700_000),
    ("encode", 41),
    ("save.manifest", 2),
    ("save.move", 17),
    ("save.flush", 4),
    ("save.clean", 5),
    ("compact.manifest", 0),
    ("compact.move", 2),
    ("compact.delete", 20),
]


def run(root: Path, point: str, after: int) -> tuple[int, list[str]]:
    done = subprocess.run(
        [sys.executable, str(SCRIPT), str(root), point, str(after)], capture_output=True, text=True, timeout=120
    )
    assert done.returncode in (0, -signal.SIGKILL), done.stderr
    return done.returncode, done.stdout.splitlines()


def episodes_intact(root: Path, count: int, partial_last: bool = False) -> None:
    """The first `count` episodes are there, whole, each row with its own frames; the last may be cut short."""
    reader = open_reader(root)
    first = 0
    for number in range(count):
        episode, length = reader.episodes[number], LENGTHS[number]
        assert episode.length == length or (partial_last and number == count - 1 and 0 < episode.length < length)
        assert np.array_equal(reader.states(number)[1][:, 0], first + np.arange(episode.length))
        for place in range(episode.length):
            row, index = reader.frames(episode.start + place), first + place
            for offset, camera in ((0, "front"), (50, "wrist")):
                grey = float(row[f"observation.images.{camera}"].mean())
                assert abs(grey - (20 + (index * 7 + offset) % 200)) < 3, (number, place, camera)
        first += length
    reader.close()


def files_agree(root: Path) -> None:
    """What a reader that goes by the files alone (the peer) finds is what `info.json` says."""
    info = layout.read_info(root)
    data = sum(pq.read_metadata(path).num_rows for path in root.glob("data/*/*.parquet"))
    episodes = sum(pq.read_metadata(path).num_rows for path in root.glob("meta/episodes/*/*.parquet"))
    assert (data, episodes) == (info.total_frames, info.total_episodes)
    for key in info.video_keys:
        frames = 0
        for path in (root / "videos" / key).glob("*/*.mp4"):
            with av.open(str(path)) as container:
                frames += sum(1 for _ in container.decode(container.streams.video[0]))
        assert frames == info.total_frames


def survives(root: Path, point: str, after: int) -> None:
    code, lines = run(root, point, after)
    done = sum(line.startswith("done") for line in lines)
    if done:
        episodes_intact(root, done)  # before any repair
    if not (root / layout.INFO).exists():
        assert not done
        return
    repair(root)
    found = layout.read_info(root).total_episodes
    assert done <= found <= done + 1
    episodes_intact(root, found, partial_last=found > done)
    files_agree(root)
    assert repair(root) == []
    assert not (root / ".lr").exists()
    assert code == -signal.SIGKILL or found == len(LENGTHS)


@pytest.mark.parametrize(("point", "after"), FEW)
def test_no_finished_episode_is_lost(tmp_path, point, after):
    survives(tmp_path / "set", point, after)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_no_finished_episode_is_lost_at_200_points(tmp_path):
    _, lines = run(tmp_path / "counted", "count", 0)
    reached = json.loads(lines[-1])
    dice = random.Random(20)
    points = [("bytes", dice.randrange(reached["bytes"])) for _ in range(100)]
    steps = [(point, after) for point, count in reached.items() if point != "bytes" for after in range(count)]
    points += dice.sample(steps, 100)
    for number, (point, after) in enumerate(points):
        survives(tmp_path / str(number), point, after)
