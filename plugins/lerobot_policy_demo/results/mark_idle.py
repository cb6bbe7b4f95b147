"""Rows that teach nothing get the source `idle`, which `lr train --dataset.drop-sources` leaves out. Changes the dataset.

    python mark_idle.py DATASET

Two kinds. Waiting: whoever records lets the arm settle after each movement, and a policy that sees an arm at rest would learn
to rest; of each wait only the moment before the next movement stays. And what comes before the hand makes for the cube: with
`--teleop.wander` it goes somewhere by chance, which no picture tells beforehand.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

FPS, GRIPPER = 30, 5
SOON, STILL = 6, 2.0
"""Waiting: no joint is asked to move by 2 degrees (the gripper: percent) within so many rows."""
MOVING, RESTING, CLOSING = 14.0, 12.0, -25.0
"""Speeds of the fastest body joint, degrees a second, and of a hand that closes, percent a second."""
LEAST, BEFORE = 4, 4
"""Rows: the shortest movement, and what stays before one."""


def smooth(actions: np.ndarray, width: int) -> np.ndarray:
    """(n, joints) without the tremor."""
    padded = np.pad(actions, ((width // 2, width // 2), (0, 0)), mode="edge")
    columns = [np.convolve(column, np.ones(width) / width, "valid") for column in padded.T]
    return np.stack(columns, axis=1)


def movements(moving: np.ndarray) -> list[tuple[int, int]]:
    """(first row, row after the last) of each stretch that is long enough."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], moving, [False]]).astype(int)))
    return [(int(a), int(b)) for a, b in edges.reshape(-1, 2) if b - a >= LEAST]


def makes_for_the_cube(actions: np.ndarray) -> int:
    """Row in which the hand sets out for the cube: two movements before it first closes, above the cube and down to it."""
    speed = np.gradient(smooth(actions, 7), axis=0) * FPS
    body = np.abs(speed[:, :GRIPPER]).max(axis=1)
    closes = np.flatnonzero((speed[:, GRIPPER] < CLOSING) & (body < RESTING))
    if not len(closes):
        return 0
    before = [each for each in movements(body > MOVING) if each[1] <= closes[0] + LEAST]
    return max(0, before[-2][0] - BEFORE) if len(before) >= 2 else 0


def waits(actions: np.ndarray) -> np.ndarray:
    """(n,) bool: nothing is about to move."""
    wanted = smooth(actions, 5)
    return np.array([np.abs(wanted[t : t + SOON + 1] - wanted[t]).max() < STILL for t in range(len(wanted))])


def idle(actions: np.ndarray) -> np.ndarray:
    """(n,) bool of one episode's requested actions (n, joints), degrees and percent."""
    found = waits(actions)
    found[: makes_for_the_cube(actions)] = True
    return found


def main(root: Path) -> None:
    """Mark every episode."""
    for file in sorted((root / "data").rglob("*.parquet")):
        table = pq.read_table(file)
        episodes = table["episode_index"].to_numpy()
        actions = np.array(table["requested_action"].to_pylist(), dtype=float)
        sources = np.array(table["source"].to_pylist(), dtype=object)
        for episode in np.unique(episodes):
            rows = np.flatnonzero(episodes == episode)
            sources[rows[idle(actions[rows])]] = "idle"
        place = table.schema.get_field_index("source")
        column = pa.array(sources.tolist(), type=table.schema.field(place).type)
        pq.write_table(table.set_column(place, table.schema.field(place), column), file)
        print(f"{file}: {np.mean(sources == 'idle'):.0%} idle")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
