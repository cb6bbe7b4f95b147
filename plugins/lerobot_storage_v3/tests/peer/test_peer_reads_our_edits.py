"""What our edits leave, the peer opens and reads as we do.

Runs where LEROBOT_PEER_PYTHON names a Python that has lerobot 0.6: `pytest -m slow plugins/lerobot_storage_v3/tests/peer`.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from lerobot_core.clock import RealClock
from lerobot_core.specs import Parts
from lerobot_core.types import Feature, Observation, Step
from lerobot_storage_v3.config import LerobotStorageConfig
from lerobot_storage_v3.edits import operations
from lerobot_storage_v3.edits.recode import reencode
from lerobot_storage_v3.edits.statistics import recompute
from lerobot_storage_v3.reader import open_reader
from lerobot_storage_v3.writer import LerobotStorage

PEER = os.environ.get("LEROBOT_PEER_PYTHON", "")
SCRIPT = Path(__file__).with_name("peer_opens.py")
GOLDEN = Path(__file__).parents[4] / "tests" / "golden" / "pusht"
JOINTS = {name: Feature("float32", (), "deg") for name in ("pan.pos", "grip.pos")}
LENGTHS = (9, 5, 12)
NUMBER = {"dtype": "float32", "shape": [1], "names": None}

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(600),
    pytest.mark.skipif(not PEER, reason="LEROBOT_PEER_PYTHON is not set"),
]


def record(root: Path, codec: str) -> Path:
    storage = LerobotStorage(LerobotStorageConfig(root=root, codec=codec, slow_encoder="block"), Parts(RealClock()))
    storage.open({**JOINTS, "front": Feature("uint8", (48, 64, 3))}, JOINTS, 10.0, "fake", "pick", False)
    for episode, length in enumerate(LENGTHS):
        for row in range(length):
            picture = np.full((48, 64, 3), 20 + (row * 9 + episode * 60) % 200, np.uint8)
            joints = {"pan.pos": row / 4 + episode, "grip.pos": -row / 2}
            seen = Observation({**joints, "front": picture}, row / 10, {"front": row / 10})
            storage.add_frame(Step(row, row / 10, seen, joints, joints, "policy", task=f"task {episode}"))
        storage.save_episode("success").wait(30)
    storage.finalize()
    return root


EDITS: dict[str, Callable[[Path, Path, Path], object]] = {
    "deleted": lambda video, png, to: operations.keep(video, to, [0, 2]),
    "merged": lambda video, png, to: operations.merge([video, video], to),
    "narrowed": lambda video, png, to: operations.remove_features(video, to, ["source", "seq"]),
    "blind": lambda video, png, to: operations.remove_features(video, to, ["observation.images.front"]),
    "widened": lambda video, png, to: operations.add_feature(
        video, to, "next.reward", NUMBER, np.arange(26, dtype=np.float32)
    ),
    "retasked": lambda video, png, to: operations.retask(video, to, {1: "turn"}, {"task 0": "lift"}),
    "reencoded": lambda video, png, to: reencode(video, to, "av1", 30, 4),
    "filmed": lambda video, png, to: operations.images_to_video(png, to, "h264", 18, 2),
    "restated": lambda video, png, to: recompute(video, to, images=True),
    "golden": lambda video, png, to: operations.keep(GOLDEN, to, [1, 3]),
}


@pytest.fixture(scope="module")
def edited(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every edit's result, and beside it what the peer reads."""
    out = tmp_path_factory.mktemp("edited")
    video, png = record(out / "video", "h264"), record(out / "png", "png")
    for name, build in EDITS.items():
        operations.edit(video, out / name, lambda to, build=build: build(video, png, to))  # type: ignore[misc]
    environ = os.environ | {"HF_HOME": str(out / ".home"), "HF_HUB_OFFLINE": "1"}
    command = [PEER, str(SCRIPT), *(str(out / name) for name in EDITS)]
    done = subprocess.run(command, env=environ, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    return out


@pytest.mark.parametrize("name", EDITS)
def test_the_same_rows(edited: Path, name: str) -> None:
    peer, reader = np.load(edited / f"{name}.npz"), open_reader(edited / name)
    meta = json.loads(str(peer["meta"]))
    assert (meta["episodes"], meta["tasks"]) == (len(reader.episodes), list(reader.tasks))
    assert all("q99" in stats for stats in meta["stats"].values())
    for index in range(len(reader)):
        row = reader.frames(index)
        assert set(row) == set(peer.files) - {"meta"}
        for key, value in row.items():
            theirs = peer[key][index]
            if key in reader.info.image_keys:
                value = np.moveaxis(value, -1, 0).astype(np.float32) / 255
            if isinstance(value, str):
                assert value == str(theirs)
            else:
                np.testing.assert_allclose(value, theirs, rtol=0, atol=1e-6, err_msg=f"{key}, row {index}")
