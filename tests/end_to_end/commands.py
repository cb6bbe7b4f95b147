"""`lr` as a person runs it: a process of its own, nobody at the keyboard."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

TASK = "put the cube in the bin"
SMALL = ["--camera.front.width", "160", "--camera.front.height", "120", "--camera.wrist", "none"]


def lr(*argv: str, timeout: float = 120) -> tuple[int, str, str]:
    """Run one command to its end: exit code, stdout, stderr."""
    done = subprocess.run(
        [sys.executable, "-m", "lerobot_core", *argv],
        capture_output=True,
        text=True,
        timeout=timeout,
        stdin=subprocess.DEVNULL,
    )
    return done.returncode, done.stdout, done.stderr


def start(*argv: str) -> subprocess.Popen[str]:
    """Begin one command."""
    return subprocess.Popen(
        [sys.executable, "-m", "lerobot_core", *argv],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def summary(*argv: str, timeout: float = 120) -> dict[str, Any]:
    """Run one command with `--json`, which must succeed; its last line."""
    code, out, err = lr(*argv, "--json", timeout=timeout)
    assert code == 0, err or out
    return dict(json.loads(out.strip().splitlines()[-1]))


def verify(root: Path) -> dict[str, Any]:
    """`lr dataset verify`, which must find nothing."""
    report = summary("dataset", "verify", str(root))
    assert report["ok"], report
    return report
