"""What listing costs: `Registry.entries()` in a fresh process with 0, 300 and 1000 distributions installed.

    python core/benchmarks/listing.py

One distribution in ten offers something of ours, one in three has entry points at all, as in a large environment.
Prints the median of 15 processes: milliseconds for the first `entries()`, and for the help screen's `entries("command")`.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

COUNTS = (0, 300, 1000)
PROCESSES = 15
PROBE = """
import sys, time
from lerobot_core.registry import Registry
start = time.perf_counter()
found = Registry().entries(sys.argv[1] or None)
print((time.perf_counter() - start) * 1e3)
"""


def make(folder: Path, count: int) -> None:
    """Writes `count` metadata folders."""
    for index in range(count):
        info = folder / f"dist_{index}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Name: dist-{index}\nVersion: 1.0\n")
        if index % 10 == 0:
            (info / "entry_points.txt").write_text(f"[lerobot.robot]\narm_{index} = dist_{index}.plugin\n")
        elif index % 3 == 0:
            (info / "entry_points.txt").write_text(f"[console_scripts]\nrun_{index} = dist_{index}:main\n")


def median(folder: Path, kind: str) -> float:
    """Milliseconds of one listing."""
    env = {**os.environ, "PYTHONPATH": str(folder)}
    command = [sys.executable, "-c", PROBE, kind]
    runs = [subprocess.run(command, env=env, capture_output=True, text=True, check=True) for _ in range(PROCESSES)]
    return statistics.median(float(run.stdout) for run in runs)


def main() -> None:
    """Prints one line a count."""
    print("distributions  entries() ms  entries('command') ms")
    for count in COUNTS:
        with tempfile.TemporaryDirectory() as folder:
            make(Path(folder), count)
            print(f"{count:13}  {median(Path(folder), ''):12.1f}  {median(Path(folder), 'command'):21.1f}")


if __name__ == "__main__":
    main()
