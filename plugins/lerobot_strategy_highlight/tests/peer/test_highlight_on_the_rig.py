"""Highlight as a person runs it: a real process, the real clock, servo bytes and drawn cameras of the virtual rig.

A minute on a busy machine: `pytest -m slow plugins/lerobot_strategy_highlight/tests/peer`; the last test where
LEROBOT_PEER_PYTHON names a Python that has lerobot 0.6.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("lerobot_sim")
pytest.importorskip("lerobot_storage_v3")
pytest.importorskip("lerobot_policy_replay")

from lerobot_core.config.resolve import resolve_run
from lerobot_core.registry import default_registry
from lerobot_core.run.plan import Plan
from lerobot_core.run.session import Session
from lerobot_core.virtual_clock import VirtualClock

pytestmark = pytest.mark.slow
TASK = "put the cube in the bin"
SMALL = ["--camera.front.width", "160", "--camera.front.height", "120", "--camera.wrist", "none"]


def lr(*argv: str) -> tuple[int, str, str]:
    done = subprocess.run(
        [sys.executable, "-m", "lerobot_core", *argv],
        capture_output=True,
        text=True,
        timeout=120,
        stdin=subprocess.DEVNULL,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A few seconds of the scripted person, for the policy to replay."""
    root = tmp_path_factory.mktemp("demo") / "demo"
    dataset = ["--dataset.root", str(root), "--dataset.num-episodes", "1", "--dataset.episode-time-s", "6"]
    argv = ["--robot", "virtual_so100", "--teleop", "scripted", "--task", TASK, *dataset, *SMALL]
    registry = default_registry()
    resolved = resolve_run("record", argv, registry, {})
    session = Session(Plan("record", resolved.config, resolved.origins, registry), VirtualClock())
    assert session.run()["outcome"] == "done", session.ending
    return root


def highlight(demo: Path, root: Path, script: str, *more: str) -> dict[str, Any]:
    policy = ["--policy", "replay", "--policy.dataset", str(demo), "--policy.latency-s", "0.1"]
    steer = ["--operator", "scripted", "--operator.scripted.script", script, "--strategy.ring-buffer-seconds", "1.5"]
    where = ["--dataset.root", str(root), "--task", TASK, "--json", "--inference", "chunked", *SMALL]
    argv = ["rollout", "--strategy", "highlight", "--robot", "virtual_so100", *policy, *steer, *where, *more]
    code, out, err = lr(*argv)
    assert code == 0, err
    return dict(json.loads(out.strip().splitlines()[-1]))


def test_highlights_verify_and_resume(demo: Path, tmp_path: Path) -> None:
    root = tmp_path / "out"
    summary = highlight(demo, root, "2.5 save; 3.0 success; 3.5 save", "--duration", "4")
    assert (summary["outcome"], summary["dataset"]["episodes"]) == ("done", 1)
    # 1.5 s from the ring (up to one group of pictures more) and a second live.
    assert 74 <= summary["dataset"]["frames"] <= 80
    summary = highlight(demo, root, "1.0 save; 1.5 stop", "--resume")
    assert (summary["outcome"], summary["dataset"]["episodes"]) == ("stopped", 1)
    code, out, err = lr("dataset", "verify", str(root), "--json")
    assert (code, json.loads(out.strip().splitlines()[-1])["ok"]) == (0, True), err
    info = json.loads((root / "meta/info.json").read_text())
    assert info["total_episodes"] == 2


@pytest.mark.skipif("LEROBOT_PEER_PYTHON" not in os.environ, reason="LEROBOT_PEER_PYTHON is not set")
def test_the_peer_opens_a_highlight(demo: Path, tmp_path: Path) -> None:
    root = tmp_path / "out"
    frames = highlight(demo, root, "2.0 save; 3.0 save", "--duration", "3.5")["dataset"]["frames"]
    script = (
        "import sys, json; from lerobot.datasets.lerobot_dataset import LeRobotDataset as D;"
        "d = D('local/out', root=sys.argv[1], video_backend='pyav');"
        "rows = [d[i] for i in range(len(d))];"
        "print(json.dumps([len(d), d.num_episodes, [int(r['frame_index']) for r in rows],"
        " list(rows[0]['observation.images.front'].shape), rows[0]['task']]))"
    )
    peer = subprocess.run(
        [os.environ["LEROBOT_PEER_PYTHON"], "-c", script, str(root)],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert peer.returncode == 0, peer.stderr
    assert json.loads(peer.stdout.splitlines()[-1]) == [frames, 1, list(range(frames)), [3, 120, 160], TASK]
