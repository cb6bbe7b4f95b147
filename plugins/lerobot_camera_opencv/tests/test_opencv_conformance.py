"""The conformance kit on a film, with the real OpenCV and the real clock."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from lerobot_core.conformance.camera import CameraConformance


class TestOpenCVCamera(CameraConformance):
    name = "opencv"

    @pytest.fixture(autouse=True)
    def _film(self, film: Path) -> None:
        self.film = film

    def options(self) -> dict[str, Any]:
        return {"index_or_path": str(self.film), "width": 96, "height": 64, "warmup_s": 0.0}

    def broken_options(self) -> dict[str, Any]:
        return {"index_or_path": "/dev/no_such_camera"}
