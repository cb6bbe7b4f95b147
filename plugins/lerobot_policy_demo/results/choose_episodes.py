"""Which episodes not to learn from: prints their numbers as JSON.

    python choose_episodes.py DATASET > excluded.json

Left out is what did not succeed, what took more than 14 s, and what a busy machine spoilt: more than 6 rows in which the loop
held the arm because it was late, or a picture older than a period in more than a quarter of the rows.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

MAX_ROWS, MAX_HELD, MAX_STALE = 420, 6, 0.15


def read(folder: Path, columns: list[str]) -> list[dict[str, Any]]:
    """The rows of every parquet file below a folder."""
    tables = [pq.read_table(file, columns=columns) for file in sorted(folder.rglob("*.parquet"))]
    found: list[dict[str, Any]] = pa.concat_tables(tables, promote_options="default").to_pylist()
    return found


def spoilt(rows: list[dict[str, Any]]) -> bool:
    """Did the machine lag behind while these were recorded?"""
    held = sum(row["source"] == "hold" for row in rows)
    stale = sum("stale" in (row["flags"] or "") for row in rows)
    return held > MAX_HELD or stale > MAX_STALE * len(rows)


def main(root: Path) -> list[int]:
    """Numbers of the episodes to leave out."""
    rows: dict[int, list[dict[str, Any]]] = {}
    for row in read(root / "data", ["episode_index", "flags", "source"]):
        rows.setdefault(row["episode_index"], []).append(row)
    episodes = read(root / "meta" / "episodes", ["episode_index", "outcome", "length"])
    return [
        number
        for number, outcome, length in ((each["episode_index"], each["outcome"], each["length"]) for each in episodes)
        if outcome != "success" or length > MAX_ROWS or spoilt(rows[number])
    ]


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]))))
