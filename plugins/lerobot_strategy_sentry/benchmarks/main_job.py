"""The main job at full size: sentry, the virtual SO-100 with two 640x480 cameras at 30 Hz, a policy of 150 ms latency.

    python plugins/lerobot_strategy_sentry/benchmarks/main_job.py [SECONDS]

Needs lerobot-sim, lerobot-storage-v3, lerobot-policy-replay and this plugin. Records one demonstration first. Episodes
are cut at 4 MB of video, so that the figures include several rotations and saves.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np


def lr(*argv: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "lerobot_core", *argv, "--json"], stdout=subprocess.PIPE, text=True, check=True
    )
    found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


def largest_step(root: Path, column: str, source: str) -> float:
    """The largest change of any joint between neighbouring rows of one source, in its unit."""
    import pyarrow.parquet as pq

    steps = [0.0]
    for path in sorted(root.glob("data/*/*.parquet")):
        table = pq.read_table(path, columns=[column, "source"])
        rows = np.array(table[column].to_pylist(), np.float32)
        chosen = np.array([found == source for found in table["source"].to_pylist()])
        steps.append(float(np.abs(np.diff(rows, axis=0))[chosen[1:] & chosen[:-1]].max(initial=0.0)))
    return max(steps)


def main() -> None:
    seconds = sys.argv[1] if len(sys.argv) > 1 else "60"
    with tempfile.TemporaryDirectory() as folder:
        demo, out = Path(folder, "demo"), Path(folder, "out")
        rig = ["--robot", "virtual_so100", "--task", "put the cube in the bin"]
        lr("record", *rig, "--teleop", "scripted", "--dataset.root", str(demo), "--dataset.num-episodes", "1")
        policy = ["--policy", "replay", "--policy.dataset", str(demo), "--policy.latency-s", "0.15"]
        cut = ["--strategy.target-video-file-size-mb", "4"]
        engine = ["--strategy", "sentry", "--inference", "chunked", "--dataset.root", str(out)]
        summary = lr("rollout", *rig, *policy, *engine, *cut, "--duration", seconds)
        rows = sum(summary["rows"].values())
        late, data, cpu = summary["lateness_ms"], summary["dataset"], summary["cpu_s"]
        print(
            f"rows        {rows}, frames stored {data['frames']}, holds {summary['rows']['hold']}, overruns {summary['overruns']}"
        )
        print(f"lateness    p50 {late['p50']} ms  p99 {late['p99']} ms (bar 5)  max {late['max']} ms (bar 33.3)")
        print(
            f"episodes    {data['episodes']}, ticket done p50 {data['save_ms']['p50']} ms, max {data['save_ms']['max']} ms"
        )
        print(f"cameras     {summary['cameras']}")
        print(f"engine      {summary['engine']}")
        print(f"processor   host {cpu['host']} s, world {cpu['world']} s of {seconds} s")
        ours, own = largest_step(out, "requested_action", "policy"), largest_step(demo, "action", "human")
        print(f"seams       largest requested step {ours:.2f} deg, in the recording itself {own:.2f} deg")


if __name__ == "__main__":
    main()
