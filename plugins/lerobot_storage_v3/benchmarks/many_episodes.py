"""Opening a dataset of very many episodes: seconds and memory, metadata synthesised.

    python many_episodes.py [EPISODES]

Two layouts: as a finished recording or a merge leaves it (a few large row groups), and as the peer's recorder leaves it
(ten episodes a row group, so a footer of several hundred MB in all).
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa
from lerobot_core.features import image_entry, image_key, vector_entry
from lerobot_storage_v3 import episodes_meta, layout, parquet, schema, tasks

JOINTS = [f"joint_{number}.pos" for number in range(6)]
ROWS = 300
PROBE = """
import json, resource, sys, time
began = time.perf_counter()
from lerobot_storage_v3.reader import open_reader
imported = time.perf_counter()
reader = open_reader(sys.argv[1])
opened = time.perf_counter()
assert reader.episodes[len(reader.episodes) - 1].length == 300
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps({"episodes": len(reader.episodes), "open_s": round(opened - imported, 3),
                  "import_s": round(imported - began, 3), "peak_mb": round(peak)}))
"""


def synthesise(root: Path, episodes: int, group: int, per_file: int) -> None:
    """Metadata of a two-camera arm; no rows, no videos."""
    cameras = {image_key(name): image_entry((480, 640, 3)) for name in ("front", "wrist")}
    features = {
        "action": vector_entry(JOINTS),
        "observation.state": vector_entry(JOINTS),
        **cameras,
        **schema.BOOKKEEPING,
    }
    info = layout.Info(fps=30, features=features, total_episodes=episodes, total_frames=episodes * ROWS, total_tasks=1)
    layout.write_info(root, info)
    tasks.write_tasks(root, ["put the cube in the bin"])
    arrow = episodes_meta.schema(info)
    for number, start in enumerate(range(0, episodes, per_file)):
        table = _rows(info, arrow, np.arange(start, min(start + per_file, episodes)))
        groups = [group] * (table.num_rows // group) + ([table.num_rows % group] if table.num_rows % group else [])
        parquet.write(root / layout.episodes_file(0, number), table, groups)


def _rows(info: layout.Info, arrow: pa.Schema, index: np.ndarray) -> pa.Table:
    count = len(index)
    file = index // 300
    columns: dict[str, object] = {
        "episode_index": index,
        "tasks": [["put the cube in the bin"]] * count,
        "length": np.full(count, ROWS),
        "data/chunk_index": file // 1000,
        "data/file_index": file % 1000,
        "dataset_from_index": index * ROWS,
        "dataset_to_index": (index + 1) * ROWS,
        "outcome": ["success"] * count,
    }
    for key in info.video_keys:
        starts = (index % 300) * ROWS / 30.0
        spans = {
            "chunk_index": file // 1000,
            "file_index": file % 1000,
            "from_timestamp": starts,
            "to_timestamp": starts + 10.0,
        }
        columns |= {episodes_meta.video_column(key, name): value for name, value in spans.items()}
    rng = np.random.default_rng(0)
    arrays = []
    for field in arrow:
        if field.name in columns:
            arrays.append(pa.array(columns[field.name], field.type))
        elif field.name.startswith("stats/"):
            arrays.append(_stat(field.type, rng.normal(size=(count, 6))))
        else:
            arrays.append(pa.array(np.zeros(count, np.int64)))
    return pa.table(arrays, arrow)


def _stat(kind: pa.DataType, values: np.ndarray) -> pa.Array:
    if pa.types.is_int64(kind.value_type):
        return pa.array([[ROWS]] * len(values), kind)
    if pa.types.is_list(kind.value_type):
        return pa.array([[[[x]] for x in row[:3]] for row in values.tolist()], kind)
    return pa.array(values.tolist(), kind)


def main() -> None:
    """Print one JSON object a layout."""
    episodes = int(sys.argv[1]) if len(sys.argv) > 1 else 50_000
    for name, group, per_file in (("merged", 1000, 10_000), ("peer", 10, 2_000)):
        with tempfile.TemporaryDirectory() as folder:
            synthesise(Path(folder), episodes, group, per_file)
            size = sum(path.stat().st_size for path in episodes_meta.files(Path(folder)))
            done = subprocess.run([sys.executable, "-c", PROBE, folder], capture_output=True, text=True, check=True)
            print(json.dumps({"layout": name, "metadata_mb": size // 10**6, **json.loads(done.stdout)}))


if __name__ == "__main__":
    main()
