"""`lr rollout --strategy episodic` on the virtual rig: servo bytes, drawn cameras, encoded video."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from lerobot_core.config.resolve import resolve_run
from lerobot_core.registry import default_registry
from lerobot_core.run.plan import Plan
from lerobot_core.run.session import Session
from lerobot_core.virtual_clock import VirtualClock

TASK = "put the cube in the bin"
SMALL = ["--camera.front.width", "160", "--camera.front.height", "120", "--camera.wrist", "none"]
SCRIPT = "0.3 success; 0.5 rerecord"
PERSON = ["--teleop", "scripted"]
VARIANTS: dict[str, list[str]] = {"alone": [], "person": PERSON}


def argv(root: Path, variant: str, *more: str) -> list[str]:
    """After `rollout`: two episodes of a second, with half a second (or the arm's way home) between."""
    rig = ["--strategy", "episodic", "--robot", "virtual_so100", *VARIANTS[variant], "--policy", "fake", *SMALL]
    engine = ["--inference", "chunked", "--operator", "scripted", "--operator.scripted.script", SCRIPT]
    dataset = ["--dataset.root", str(root), "--dataset.num-episodes", "2", "--dataset.episode-time-s", "1"]
    return [*rig, *engine, *dataset, "--dataset.reset-time-s", "0.5", "--task", TASK, "--json", *more]


def in_process(*options: str) -> Session:
    """Not run yet; on the virtual clock."""
    registry = default_registry()
    resolved = resolve_run("rollout", options, registry, {})
    return Session(Plan("rollout", resolved.config, resolved.origins, registry), VirtualClock())


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
