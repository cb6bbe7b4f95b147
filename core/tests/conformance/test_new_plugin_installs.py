"""From `lr plugins new` to `lr plugins check`, in a fresh virtual environment."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import lerobot_core
import pytest

CORE = Path(lerobot_core.__file__).parents[2]
OFFLINE = ("dns error", "Failed to fetch", "Failed to establish", "Temporary failure", "Could not connect", "timed out")


def _run(*command: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    clean = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "VIRTUAL_ENV")}
    return subprocess.run([*map(str, command)], cwd=cwd, env=clean, capture_output=True, text=True, check=False)


def _environment(folder: Path, *packages: str) -> Path:
    """A new environment with these packages; returns its `bin`. Skips where no package index can be reached."""
    uv = os.environ.get("UV") or shutil.which("uv")
    python = folder / "bin" / "python"
    make = [uv, "venv", "-q", "--python", sys.executable, folder] if uv else [sys.executable, "-m", "venv", folder]
    assert _run(*make).returncode == 0
    install = [uv, "pip", "install", "-q", "--python", python] if uv else [python, "-m", "pip", "install", "-q"]
    done = _run(*install, *packages)
    if done.returncode and any(sign in done.stderr for sign in OFFLINE):
        pytest.skip("no package index can be reached")
    assert done.returncode == 0, done.stderr[-2000:]
    return folder / "bin"


@pytest.mark.skipif(not (CORE / "pyproject.toml").is_file(), reason="core was not installed from a source tree")
def test_a_new_robot_installs_and_passes_its_kit(tmp_path: Path) -> None:
    made = _run(sys.executable, "-m", "lerobot_core", "plugins", "new", "robot", "acme", cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    plugin = tmp_path / "lerobot_robot_acme"
    binaries = _environment(tmp_path / "venv", f"{CORE}[test]", str(plugin))
    listed = _run(binaries / "lr", "plugins", "list", "--json", cwd=tmp_path)
    assert "lerobot-robot-acme" in listed.stdout, listed.stderr
    checked = _run(binaries / "lr", "plugins", "check", "acme", cwd=tmp_path)
    assert checked.returncode == 0, checked.stdout[-3000:] + checked.stderr[-1000:]
    own = _run(binaries / "python", "-m", "pytest", "-q", "-p", "no:cacheprovider", plugin / "tests", cwd=plugin)
    assert own.returncode == 0, own.stdout[-3000:]
