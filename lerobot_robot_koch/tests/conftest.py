from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from koch_bench import Bench, follower_bench, leader_bench


@pytest.fixture
def arm() -> Iterator[Bench]:
    """A calibrated follower."""
    with follower_bench() as bench:
        yield bench


@pytest.fixture
def new_arm() -> Iterator[Bench]:
    """A follower whose motors have ids and nothing else."""
    with follower_bench(calibrated=False) as bench:
        yield bench


@pytest.fixture
def hand() -> Iterator[Bench]:
    """A calibrated leader."""
    with leader_bench() as bench:
        yield bench


@pytest.fixture
def new_hand() -> Iterator[Bench]:
    """A leader whose motors have ids and nothing else."""
    with leader_bench(calibrated=False) as bench:
        yield bench
