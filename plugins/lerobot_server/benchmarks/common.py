"""What the benchmarks have in common."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
from lerobot_core.inference.latency import percentile
from lerobot_server.fakes import free_port


class ServerProcess:
    """`server.py` in a process of its own."""

    def __init__(self, cameras: int, height: int, width: int, latency_ms: float, *more: str) -> None:
        self.port, self.echo_port = free_port(), free_port()
        words = [self.port, self.echo_port, cameras, height, width, latency_ms, *more]
        script = str(Path(__file__).with_name("server.py"))
        self.child = subprocess.Popen(
            [sys.executable, script, *map(str, words)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self.child.stdout is not None
        self.child.stdout.readline()

    def figures(self) -> dict[str, Any]:
        """RSS, CPU, answers."""
        assert self.child.stdin is not None
        assert self.child.stdout is not None
        self.child.stdin.write("?\n")
        self.child.stdin.flush()
        found: dict[str, Any] = json.loads(self.child.stdout.readline())
        return found

    def close(self) -> None:
        """End it."""
        self.child.communicate()


def scene(height: int, width: int, seed: int) -> Any:
    """A picture that compresses like one: gradients and a patch of noise. uint8 (H, W, 3)."""
    y, x = np.mgrid[0:height, 0:width]
    image = np.stack([x * 255 // width, y * 255 // height, (x + y + seed * 7) // 5 % 256], -1).astype(np.uint8)
    noise = np.random.default_rng(seed).integers(0, 255, (height // 3, width // 3, 3))
    image[height // 3 : height // 3 * 2, width // 3 : width // 3 * 2] = noise[: height // 3, : width // 3]
    return image


def ms(seconds: list[float]) -> dict[str, float]:
    """p50, p99 and max in milliseconds."""
    return {
        "p50": round(percentile(seconds, 0.5) * 1e3, 3),
        "p99": round(percentile(seconds, 0.99) * 1e3, 3),
        "max": round(max(seconds, default=0.0) * 1e3, 3),
    }


def machine() -> dict[str, Any]:
    """How busy it is here."""
    return {"cores": os.cpu_count(), "load": [round(each, 2) for each in os.getloadavg()]}
