"""`lr rollout --inference rtc` on the virtual SO-100, in real time; the network is random, the run is not."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import lerobot_torch
import pytest
import torch
from lerobot_core.features import ACTION, STATE
from lerobot_core.types import Feature
from lerobot_policy_pi0.config import PI0Config
from pi0_golden import TINY, write_tokenizer

pytest.importorskip("lerobot_sim")
JOINTS = {
    f"{name}.pos": Feature("float32", (), "pct" if name == "gripper" else "deg")
    for name in ("shoulder_pan", "shoulder_lift", "elbow_flex", "wrist_flex", "wrist_roll", "gripper")
}
SMALL = [f"--camera.{name}.{side}" for name in ("front", "wrist") for side in ("width", "height")]
SIZES = [word for flag in SMALL for word in (flag, "160" if flag.endswith("width") else "120")]


def checkpoint(folder: Path) -> Path:
    torch.manual_seed(0)
    config = PI0Config(**{**TINY, "chunk_size": 32, "n_action_steps": 16, "use_relative_actions": True},
                       tokenizer=str(write_tokenizer(folder / "tok")))  # fmt: skip
    seen = {**JOINTS, **dict.fromkeys(("front", "wrist"), Feature("uint8", (120, 160, 3)))}
    numbers = {"mean": [0.0] * 6, "std": [0.5] * 6, "min": [-1.0] * 6, "max": [1.0] * 6}
    lerobot_torch.create("pi0", config, seen, JOINTS, {STATE: numbers, ACTION: numbers}, 30.0).save(folder / "pi0")
    return folder / "pi0"


@pytest.mark.slow
def test_a_rollout_with_rtc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_LEROBOT_HOME", str(tmp_path / "home"))  # whatever this machine has calibrated
    argv = [
        "rollout", "--robot", "virtual_so100", *SIZES, "--policy", str(checkpoint(tmp_path)), "--policy.device", "cpu",
        "--inference", "rtc", "--task", "put the cube in the bin", "--duration", "6", "--json",
    ]  # fmt: skip
    done = subprocess.run([sys.executable, "-m", "lerobot_core", *argv], capture_output=True, text=True, timeout=110,
                          stdin=subprocess.DEVNULL)  # fmt: skip
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout.splitlines()[-1])
    assert summary["outcome"] == "done"
    assert summary["rows"]["policy"] > 90
    assert summary["engine"]["calls"] > 3
    assert summary["engine"]["errors"] == 0
