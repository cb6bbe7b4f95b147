from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(scope="session")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twenty pictures of 96 x 64, red to the left of an edge that moves, blue to the right of it."""
    path = tmp_path_factory.mktemp("film") / "film.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), 30.0, (96, 64))
    for edge in range(20, 60, 2):
        image = np.zeros((64, 96, 3), np.uint8)
        image[:, :edge, 2] = 255
        image[:, edge:, 0] = 255
        writer.write(image)
    writer.release()
    return path
