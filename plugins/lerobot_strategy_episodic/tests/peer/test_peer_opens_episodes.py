"""LeRobot opens what a run on the real clock recorded, row for row.

Runs where LEROBOT_PEER_PYTHON names a Python that has lerobot 0.6: `pytest -m slow plugins/lerobot_strategy_episodic/tests/peer`.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
from episodic_virtual_rig import TASK, VARIANTS, argv, lr

PEER = os.environ.get("LEROBOT_PEER_PYTHON", "")
SCRIPT = Path(__file__).with_name("peer_opens.py")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(600),
    pytest.mark.skipif(not PEER, reason="LEROBOT_PEER_PYTHON is not set"),
]


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_peer_reads_every_row(tmp_path: Path, variant: str) -> None:
    root = tmp_path / "out"
    summary = lr("rollout", *argv(root, variant))
    home = {"HF_HOME": str(tmp_path / "home"), "HF_HUB_OFFLINE": "1"}
    done = subprocess.run([PEER, str(SCRIPT), str(root)], env=os.environ | home, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads(done.stdout.strip().splitlines()[-1])
    assert (found["frames"], found["episodes"]) == (summary["dataset"]["frames"], 2)
    assert (found["human"], found["front"], found["tasks"]) == (0, [3, 120, 160], [TASK])
