"""How long the first sample of a resumed epoch takes, and what memory the order holds, by number of frames.

    python shuffle.py [FRAMES ...]        default: 10^6 10^9 (the uniform order up to 10^7 only)

One JSON object a line. The bar: 10^9 frames in the constant-memory order, at most 1 ms, no memory per frame.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
import tracemalloc

from lerobot_train.cursor import Batches, Cursor
from lerobot_train.rows import Rows

EPISODE, BATCH, TIMES, UNIFORM_AT_MOST = 1000, 8, 50, 10**7


def first_sample(kind: str, frames: int, rows: Rows) -> float:
    """Milliseconds from a cursor in the middle of an epoch to the first row's global index."""
    cursor = Cursor(seed=1, shuffle=kind, frames=frames, fingerprint="", epoch=3, consumed=frames // 2 + 1)
    began = time.perf_counter()
    (_, sample), *_ = next(iter(Batches(cursor, BATCH)))
    rows.index(sample)
    return (time.perf_counter() - began) * 1000


def held(kind: str, frames: int) -> int:
    """Bytes that the order holds at most while its first batch is made."""
    cursor = Cursor(seed=1, shuffle=kind, frames=frames, fingerprint="", epoch=3, consumed=frames // 2)
    tracemalloc.start()
    batches = iter(Batches(cursor, BATCH))
    next(batches)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


def main(counts: list[int]) -> None:
    for frames in counts:
        episodes = frames // EPISODE
        rows = Rows(range(0, frames, EPISODE), [EPISODE] * episodes)
        for kind in ("feistel", "randperm"):
            if kind == "randperm" and frames > UNIFORM_AT_MOST:
                continue
            times = [first_sample(kind, frames, rows) for _ in range(TIMES if kind == "feistel" else 3)]
            found = {"median_ms": statistics.median(times), "max_ms": max(times), "python_bytes": held(kind, frames)}
            print(json.dumps({"shuffle": kind, "frames": frames, "episodes": episodes} | found), flush=True)


if __name__ == "__main__":
    main([int(float(word)) for word in sys.argv[1:]] or [10**6, 10**9])
