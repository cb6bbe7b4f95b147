"""A small policy, installed as pip would install it, and `lr train` on the golden dataset with it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import settings
from lerobot_core.registry import default_registry

HERE = Path(__file__).parent
ROOT = HERE.parents[3]
PUSHT = ROOT / "tests" / "golden" / "pusht"
sys.path.insert(0, str(HERE))
torch.set_num_threads(1)
# A shared machine may stand still for longer than any deadline.
settings.register_profile("train", deadline=None, max_examples=50)
settings.load_profile("train")

_METADATA = """Metadata-Version: 2.1
Name: lerobot-policy-toy
Version: 0.1.0
Summary: a policy for tests
Requires-Dist: lerobot-core>=0.1,<0.2
"""


@pytest.fixture(autouse=True, scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """`toy` under policy, for this process; the folder to put on another's path."""
    folder = tmp_path_factory.mktemp("site")
    metadata = folder / "lerobot_policy_toy-0.1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(_METADATA)
    (metadata / "entry_points.txt").write_text("[lerobot.policy]\ntoy = toy_plugin\n")
    sys.path.insert(0, str(folder))
    default_registry.cache_clear()
    yield folder
    sys.path.remove(str(folder))
    default_registry.cache_clear()


@pytest.fixture
def words(tmp_path: Path) -> list[str]:
    """The options that every run here begins with."""
    return ["--policy", "toy", "--policy.device", "cpu", "--dataset.root", str(PUSHT), "--output-dir", str(tmp_path / "run"),
            "--num-workers", "0", "--batch-size", "4", "--log-every", "1", "--no-tensorboard"]  # fmt: skip


@pytest.fixture
def train(words: list[str], capsys: pytest.CaptureFixture[str]) -> Callable[..., list[dict[str, Any]]]:
    """`train("--steps", "3")` in this process: its JSON lines. With `--resume` only what that needs is added."""
    from lerobot_train.main import run

    def call(*more: str) -> list[dict[str, Any]]:
        begins = words[6:8] if "--resume" in more else words
        capsys.readouterr()
        assert run([*begins, "--json", *more]) == 0
        return [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    return call


@pytest.fixture
def environ(site: Path) -> dict[str, str]:
    """For a process that knows `toy` too."""
    return os.environ | {"PYTHONPATH": f"{site}:{HERE}", "OMP_NUM_THREADS": "1"}


@pytest.fixture
def start(words: list[str], environ: dict[str, str]) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """`lr train` in a process of its own, ended with the test."""
    begun: list[subprocess.Popen[str]] = []

    def call(*more: str, launcher: tuple[str, ...] = ()) -> subprocess.Popen[str]:
        begins = words[6:8] if "--resume" in more else words
        command = [sys.executable, *(launcher or ("-m",)), "lerobot_core", "train", *begins, "--json", *more]
        begun.append(subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True))
        return begun[-1]

    yield call
    for process in begun:
        process.kill()
        process.communicate()
