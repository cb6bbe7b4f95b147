"""LeRobot opens what a run on the real clock recorded, row for row.

Runs where LEROBOT_PEER_PYTHON names a Python that has lerobot 0.6: `pytest -m slow lerobot_strategy_dagger/tests/peer`.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
from dagger_virtual_rig import TASK, VARIANTS, argv, lr, replay, verify

PEER = os.environ.get("LEROBOT_PEER_PYTHON", "")
SCRIPT = Path(__file__).with_name("peer_opens.py")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(600),
    pytest.mark.skipif(not PEER, reason="LEROBOT_PEER_PYTHON is not set"),
]


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_peer_reads_every_row(demo: Path, tmp_path: Path, variant: str) -> None:
    root = tmp_path / "out"
    summary = lr("rollout", *argv(root, variant, replay(demo)))
    verify(root)
    home = {"HF_HOME": str(tmp_path / "home"), "HF_HUB_OFFLINE": "1"}
    done = subprocess.run([PEER, str(SCRIPT), str(root)], env=os.environ | home, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads(done.stdout.strip().splitlines()[-1])
    assert found["human"] == summary["rows"]["human"] > 0
    assert (sum(found["lengths"]), len(found["lengths"])) == (
        summary["dataset"]["frames"],
        summary["dataset"]["episodes"],
    )
    assert (found["action"], found["front"], found["tasks"]) == ([6], [3, 120, 160], [TASK])
