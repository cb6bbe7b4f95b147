"""Every kind of dataset the peer makes reads here as it reads there: values, pictures, padding, tasks.

Runs where LEROBOT_PEER_PYTHON names a Python that has lerobot 0.6: `pytest -m slow plugins/lerobot_storage_v3/tests/peer`.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from lerobot_storage_v3.reader import open_reader
from lerobot_storage_v3.verify import verify

PEER = os.environ.get("LEROBOT_PEER_PYTHON", "")
SCRIPT = Path(__file__).with_name("peer_datasets.py")
DELTAS = {"action": [-0.2, 0.0, 0.1, 0.5], "observation.images.front": [-0.1, 0.0], "observation.images.wrist": [0.0]}
MADE = [
    "recorded",
    "rotated",
    "streamed",
    "matrices",
    "images",
    "resumed",
    "deleted",
    "half_train",
    "half_val",
    "merged",
    "widened",
    "narrowed",
    "converted",
    "retasked",
]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(600),
    pytest.mark.skipif(not PEER, reason="LEROBOT_PEER_PYTHON is not set"),
]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every dataset, and beside it what the peer reads."""
    out = tmp_path_factory.mktemp("peer")
    environ = os.environ | {"HF_HOME": str(out / ".home"), "HF_HUB_OFFLINE": "1"}
    done = subprocess.run([PEER, str(SCRIPT), str(out)], env=environ, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    return out


def as_the_peer(key: str, value: Any, dtype: str) -> Any:
    """A value of ours in the peer's shape: pictures (C, H, W) in [0, 1], a video at one time without its axis."""
    if not key.startswith("observation.images.") or key.endswith("_is_pad"):
        return value
    scaled = np.moveaxis(value.astype(np.float32) / 255, -1, -3)
    return scaled[0] if dtype == "video" and len(scaled) == 1 else scaled


@pytest.mark.parametrize("name", MADE)
def test_the_same_rows(made: Path, name: str) -> None:
    peer = np.load(made / f"{name}.npz")
    meta = json.loads(str(peer["meta"]))
    reader = open_reader(made / name)
    assert (len(reader), len(reader.episodes)) == (meta["len"], meta["episodes"])
    assert list(reader.tasks) == meta["tasks"]
    for place, index in enumerate(peer["index_asked"]):
        ours = reader.frames(int(index), DELTAS)
        assert set(ours) == set(peer.files) - {"meta", "index_asked"}
        for key, value in ours.items():
            dtype = reader.info.features.get(key, {}).get("dtype", "")
            theirs = peer[key][place]
            got = np.asarray(as_the_peer(key, value, dtype))
            assert got.shape == theirs.shape, key
            if got.dtype.kind == "f":
                np.testing.assert_allclose(got, theirs, rtol=0, atol=1e-6, err_msg=key)
            else:
                np.testing.assert_array_equal(got, theirs, key)


@pytest.mark.parametrize("name", MADE)
def test_the_lint_has_nothing_against_them(made: Path, name: str) -> None:
    errors = [problem for problem in verify(made / name) if problem.level == "error"]
    assert errors == []
