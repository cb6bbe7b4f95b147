"""The stub registry beside the tests is imported by name."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from catalogue_stub import Stub


@pytest.fixture
def registry() -> Stub:
    """A fresh table, so that each test sees only its own questions."""
    return Stub()
