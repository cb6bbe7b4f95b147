from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from dynamixel_line import DynamixelLine, Servo


@pytest.fixture
def line() -> Iterator[DynamixelLine]:
    """Motors with ids 1, 2 and 3."""
    line = DynamixelLine(Servo(1, 1060), Servo(2), Servo(3))
    yield line
    line.close()
