"""How long `lr --help` and its kin take from nothing to exit, and how much memory: medians of fresh processes.

    python core/benchmarks/startup.py [--runs 20] [--json]

Each command is run in turn, round after round, so that a slow minute of the machine falls on all of them. The last
rows have 300 more distributions on the path, ten of which offer a verb. Targets: docs/architecture.md section 11.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

LR = [str(Path(sys.executable).with_name("lr"))]
CASES = {
    "python -c pass": ([sys.executable, "-c", "pass"], None),
    "lr --help": ([*LR, "--help"], (0.10, 40)),
    "lr --version": ([*LR, "--version"], None),
    "lr rollout --help": ([*LR, "rollout", "--help"], (0.20, 60)),
    "lr rollout --robot fake --help": ([*LR, "rollout", "--robot", "fake", "--help"], None),
    "lr plugins list": ([*LR, "plugins", "list"], None),
    "lr _complete rollout --robot ''": ([*LR, "_complete", "rollout", "--robot", ""], None),
    "python -c 'import typer'": ([sys.executable, "-c", "import typer"], None),
}
CROWDED = {"lr --help, 300 distributions more": "lr --help", "lr rollout --help, 300 more": "lr rollout --help"}
CROWDED_TARGETS = {"lr --help, 300 distributions more": (0.13, 40), "lr rollout --help, 300 more": (0.20, 60)}


def crowd(folder: Path, count: int = 300) -> None:
    """Metadata folders as pip writes them; every thirtieth offers a verb and a robot."""
    for n in range(count):
        info = folder / f"filler_{n}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: filler-{n}\nVersion: 1.0\nSummary: number {n}\n")
        groups = f"[lerobot.command]\nfiller{n} = filler_{n}:app\n[lerobot.robot]\nfiller{n} = filler_{n}.plugin\n"
        (info / "entry_points.txt").write_text(
            groups if n % 30 == 0 else f"[console_scripts]\nf{n} = filler_{n}:main\n"
        )


def once(command: list[str], environ: dict[str, str]) -> tuple[float, float]:
    """Seconds and MB (peak resident set) of one process."""
    began = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, env=environ)
    _, status, usage = os.wait4(process.pid, 0)
    taken = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, f"{command} exited {process.returncode}"
    return taken, usage.ru_maxrss / 1024


def measure(runs: int) -> dict[str, dict[str, float]]:
    """Medians by case."""
    seen: dict[str, list[tuple[float, float]]] = {name: [] for name in (*CASES, *CROWDED)}
    with tempfile.TemporaryDirectory() as folder:
        crowd(Path(folder))
        for _ in range(runs + 1):
            for name, (command, _) in CASES.items():
                seen[name].append(once(command, dict(os.environ)))
            for name, case in CROWDED.items():
                seen[name].append(once(CASES[case][0], {**os.environ, "PYTHONPATH": folder}))
    return {
        name: {
            "seconds": statistics.median(taken for taken, _ in results[1:]),  # the first one warms caches
            "best": min(taken for taken, _ in results[1:]),
            "rss_mb": statistics.median(rss for _, rss in results[1:]),
        }
        for name, results in seen.items()
    }


def main() -> None:
    """Print a table, or one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    results = measure(options.runs)
    if options.json:
        print(json.dumps({"runs": options.runs, "cases": results}))
        return
    targets = {name: target for name, (_, target) in CASES.items()} | CROWDED_TARGETS
    print(f"{'':36}{'median':>9}{'best':>9}{'RSS':>9}   target")
    for name, row in results.items():
        target = targets[name]
        wanted = f"   {target[0] * 1e3:.0f} ms, {target[1]} MB" if target else ""
        print(f"{name:36}{row['seconds'] * 1e3:6.0f} ms{row['best'] * 1e3:6.0f} ms{row['rss_mb']:6.1f} MB{wanted}")
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores; a child is never charged less than this process, {own:.1f} MB"
    )


if __name__ == "__main__":
    main()
