from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from servo_line import Servo, ServoLine


@pytest.fixture
def line() -> Iterator[ServoLine]:
    """Motors with ids 1, 2 and 3."""
    line = ServoLine(*(Servo(id) for id in (1, 2, 3)))
    yield line
    line.close()
