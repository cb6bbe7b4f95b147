"""`lr rollout --strategy dagger` on the virtual rig: servo bytes, drawn cameras, encoded video."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import lerobot_sim
from lerobot_core.clock import Clock
from lerobot_core.config.resolve import resolve_run
from lerobot_core.registry import default_registry
from lerobot_core.run.plan import Plan
from lerobot_core.run.session import Session
from lerobot_core.virtual_clock import VirtualClock

TASK = "put the cube in the bin"
SMALL = ["--camera.front.width", "160", "--camera.front.height", "120", "--camera.wrist", "none"]
SCRIPT = "1 takeover; 1.5 success; 2 takeover; 2.5 takeover; 2.51 takeover; 3 pause; 3.2 pause; 3.5 stop"
"""A correction of one second and one of a single frame."""
FAKE = ["--policy", "fake", "--policy.latency-s", "0.15"]
CALIBRATION = Path(lerobot_sim.__file__).parent / "calibration"
SCRIPTED = ["--teleop", "scripted"]
ACTUATED = [
    "--teleop",
    "so100_leader",
    "--teleop.port",
    "sim",
    "--teleop.id",
    "virtual",
    "--teleop.restore-calibration",
]
"""A second arm on a port of its own, whose motors hold no calibration yet."""
ACTUATED += ["--teleop.calibration-dir", str(CALIBRATION)]
VARIANTS: dict[str, list[str]] = {
    "corrections": [*SCRIPTED],
    "attempts": [*SCRIPTED, "--strategy.record-autonomous"],
    "clutch": [*SCRIPTED, "--strategy.clutch", "--interpolation", "2"],
    "actuated": [*ACTUATED],
}


def replay(demo: Path) -> list[str]:
    """A policy that puts the cube in the bin."""
    return ["--policy", "replay", "--policy.dataset", str(demo), "--policy.latency-s", "0.15"]


def argv(root: Path, variant: str, policy: list[str] = FAKE, *more: str) -> list[str]:
    """After `rollout`."""
    rig = ["--strategy", "dagger", "--robot", "virtual_so100", *VARIANTS[variant], *policy, "--inference", "chunked"]
    operator = ["--operator", "scripted", "--operator.scripted.script", SCRIPT]
    return [*rig, *operator, "--dataset.root", str(root), "--task", TASK, "--json", *SMALL, *more]


def in_process(verb: str, *options: str, clock: Clock | None = None) -> Session:
    """Not run yet; on the virtual clock, unless another is given."""
    registry = default_registry()
    resolved = resolve_run(verb, options, registry, {})
    return Session(Plan(verb, resolved.config, resolved.origins, registry), clock or VirtualClock())


def lr(*options: str) -> dict[str, Any]:
    """A process of its own, on the real clock; its summary."""
    command = [sys.executable, "-m", "lerobot_core", *options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout.strip().splitlines()[-1]))


def verify(root: Path) -> None:
    """`lr dataset verify` has nothing to say against it."""
    report = lr("dataset", "verify", str(root), "--json")
    assert report["ok"], report


def columns(root: Path, *names: str) -> list[dict[str, list[Any]]]:
    """The named columns of each episode."""
    import pyarrow.parquet as pq

    tables = [pq.read_table(path, columns=["episode_index", *names]) for path in sorted(root.glob("data/**/*.parquet"))]
    rows = [row for table in tables for row in table.to_pylist()]
    count = 1 + max(row["episode_index"] for row in rows)
    return [
        {name: [row[name] for row in rows if row["episode_index"] == episode] for name in names}
        for episode in range(count)
    ]
