"""Makes the peer's checkpoints available to the tests."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture
def checkpoint(tmp_path: Path) -> Callable[..., Path]:
    """`checkpoint("act_vae")` -> a folder that holds what the peer wrote and nothing else."""
    from act_golden import write_checkpoint

    return lambda name="act_vae", folder="checkpoint": write_checkpoint(name, tmp_path / folder)
