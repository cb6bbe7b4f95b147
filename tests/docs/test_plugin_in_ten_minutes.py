"""The commands of docs/write-a-plugin.md, in their order, in a fresh virtual environment."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from links import ROOT
from page_commands import commands

OFFLINE = ("dns error", "Failed to fetch", "Failed to establish", "Temporary failure", "Could not connect", "timed out")


def _clean(binaries: Path) -> dict[str, str]:
    others = ("PYTHONPATH", "VIRTUAL_ENV", "UV_PYTHON", "UV_PROJECT_ENVIRONMENT")  # nox's, of its own environment
    kept = {key: value for key, value in os.environ.items() if key not in others}
    return kept | {"PATH": f"{binaries}:{kept['PATH']}", "VIRTUAL_ENV": str(binaries.parent)}


@pytest.fixture
def shell(tmp_path: Path) -> dict[str, str]:
    """The environment of a shell in which core is installed and nothing else of ours."""
    uv = os.environ.get("UV") or shutil.which("uv")
    if uv is None:
        pytest.skip("making an environment in seconds takes uv")
    binaries = tmp_path / "venv" / "bin"
    subprocess.run([uv, "venv", "-q", "--python", sys.executable, str(binaries.parent)], check=True)
    install = [uv, "pip", "install", "-q", "--python", str(binaries / "python"), f"{ROOT / 'core'}[test]"]
    done = subprocess.run(install, capture_output=True, text=True, check=False)
    if done.returncode and any(sign in done.stderr for sign in OFFLINE):
        pytest.skip("no package index can be reached")
    assert done.returncode == 0, done.stderr[-2000:]
    return _clean(binaries) | {"UV": uv}


def test_every_command_of_the_page_works(tmp_path: Path, shell: dict[str, str]) -> None:
    lines = commands((ROOT / "docs/write-a-plugin.md").read_text())
    assert len(lines) >= 8, "the page has lost its commands"
    for line in lines:
        line = line.replace("pip install", f"{shell['UV']} pip install", 1)
        done = subprocess.run(
            ["bash", "-c", line], cwd=tmp_path, env=shell, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{line}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"


def test_what_the_page_shows_of_the_distribution_is_written(tmp_path: Path) -> None:
    page = (ROOT / "docs/write-a-plugin.md").read_text()
    made = [sys.executable, "-m", "lerobot_core", "plugins", "new", "robot", "acme"]
    subprocess.run(made, cwd=tmp_path, check=True, capture_output=True)
    files = {path.name for path in (tmp_path / "lerobot_robot_acme").rglob("*") if path.is_file()}
    assert not {name for name in files if name not in page}
    project = (tmp_path / "lerobot_robot_acme/pyproject.toml").read_text()
    for line in ('dependencies = ["lerobot-core>=0.1,<0.2"]', 'acme = "lerobot_robot_acme.plugin"'):
        assert line in page
        assert line in project
