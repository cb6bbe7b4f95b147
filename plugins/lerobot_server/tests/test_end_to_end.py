"""Two processes: `lr serve` in one, `lr rollout --inference remote` in the other, servos and video and all."""

from __future__ import annotations

import json
import math
import subprocess
from pathlib import Path
from typing import Any

import pytest
from lerobot_core.clock import RealClock
from lerobot_core.registry import default_registry
from lerobot_core.specs import Parts
from lerobot_core.types import Feature, Observation, Step
from processes import LR, free_port, serve, status

JOINTS = ("shoulder_pan", "shoulder_lift", "elbow_flex", "wrist_flex", "wrist_roll", "gripper")
SMALL = ["--camera.front.width", "160", "--camera.front.height", "120", "--camera.wrist", "none"]
TASK = "put the cube in the bin"


def lr(*words: str, timeout: float = 240) -> dict[str, Any]:
    done = subprocess.run([*LR, *words, "--json"], capture_output=True, text=True, timeout=timeout)
    assert done.returncode == 0, done.stderr + done.stdout
    return dict(json.loads(done.stdout.strip().splitlines()[-1]))


def flags_and_numbers(root: Path) -> tuple[list[str], list[int], list[str]]:
    import pyarrow.parquet as pq

    rows = [pq.read_table(path, columns=["flags", "seq", "source"]) for path in sorted(root.glob("data/**/*.parquet"))]
    read = {key: [value for table in rows for value in table[key].to_pylist()] for key in ("flags", "seq", "source")}
    return read["flags"], read["seq"], read["source"]


def rollout(port: int, root: Path, seconds: int, *words: str) -> dict[str, Any]:
    where = ["--inference", "remote", "--inference.connect", f"tcp/127.0.0.1:{port}"]
    return lr(
        "rollout", "--strategy", "sentry", "--robot", "virtual_so100", *SMALL, *where, "--task", TASK,
        "--duration", str(seconds), "--dataset.root", str(root), *words,
    )  # fmt: skip


def check(summary: dict[str, Any], root: Path, audit: Path) -> None:
    assert (summary["outcome"], summary["reason"], summary["inference"]) == ("done", "duration", "remote")
    assert summary["engine"]["errors"] == 0
    assert summary["rows"]["policy"] > 0.8 * sum(summary["rows"].values())
    assert summary["exit"] == "park"
    assert lr("dataset", "verify", str(root))["ok"]
    flags, numbers, sources = flags_and_numbers(root)
    session = summary["engine"]["remote"]["session"]
    mine = {(f"remote:{session}/0" in row, source) for row, source in zip(flags, sources, strict=True)}
    assert (True, "policy") in mine
    assert (False, "policy") not in mine
    audited = [json.loads(line) for line in audit.read_text().splitlines()]
    asked = {line["seq"] for line in audited if line["event"] == "request" and line["session"] == session}
    assert {number for number in numbers if number >= 0} <= asked


def taught(root: Path) -> Path:
    """A recorded episode of three seconds: every joint swings by a few degrees."""
    features = {f"{name}.pos": Feature("float32", (), "pct" if name == "gripper" else "deg") for name in JOINTS}
    spec = default_registry().spec("storage", "lerobot")
    storage: Any = spec.build(spec.config(root=root), Parts(clock=RealClock()))
    storage.open(features, features, 30.0, "so_follower", TASK, False)
    for index in range(90):
        action = dict.fromkeys(features, 10.0 + 5.0 * math.sin(index / 15))
        obs = Observation(action, index / 30)
        storage.add_frame(Step(index, index / 30, obs, action, action, "human", None, TASK))
    storage.save_episode("success").wait()
    storage.finalize()
    return root


def test_sentry_records_what_a_policy_elsewhere_does(tmp_path: Path) -> None:
    port, health = free_port(), free_port()
    options = [
        "--policy.dataset", str(taught(tmp_path / "taught")), "--audit-log", str(tmp_path / "audit"),
        "--health-port", str(health),
    ]  # fmt: skip
    with serve(tmp_path / "log", *options, port=port, policy="replay"):
        summary = rollout(port, tmp_path / "rows", 4)
        assert status(health)["robots"] == []
    check(summary, tmp_path / "rows", tmp_path / "audit")
    assert summary["engine"]["remote"]["robot"] == "virtual"


@pytest.mark.slow
def test_the_main_job_with_the_policy_elsewhere(tmp_path: Path) -> None:
    """A person records, a policy elsewhere replays it, sentry records that."""
    lr(
        "record", "--robot", "virtual_so100", *SMALL, "--teleop", "scripted", "--task", TASK,
        "--dataset.root", str(tmp_path / "taught"), "--dataset.num-episodes", "1", "--dataset.episode-time-s", "12",
        "--dataset.reset-time-s", "0",
    )  # fmt: skip
    port = free_port()
    words = ["--policy.dataset", str(tmp_path / "taught"), "--audit-log", str(tmp_path / "audit")]
    with serve(tmp_path / "log", *words, port=port, policy="replay"):
        summary = rollout(port, tmp_path / "rows", 20)
    check(summary, tmp_path / "rows", tmp_path / "audit")


@pytest.mark.slow
def test_the_demo_policy_is_served(tmp_path: Path) -> None:
    """The commands of docs/contracts.md, where lerobot-policy-demo is installed."""
    if not default_registry().offers("policy", "demo"):
        pytest.skip("lerobot-policy-demo is not installed")
    port = free_port()
    with serve(tmp_path / "log", port=port, policy="demo"):
        where = ["--inference", "remote", "--inference.connect", f"tcp/127.0.0.1:{port}"]
        summary = lr(
            "rollout", "--strategy", "sentry", "--robot", "virtual_so100", *where, "--task", TASK,
            "--duration", "10", "--dataset.root", str(tmp_path / "rows"),
        )  # fmt: skip
    assert summary["rows"]["policy"] > 0
