"""Datasets rewritten, merged, resumed, converted or annotated by other software, all of which read the same."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from lerobot_storage_v3 import depth, layout, parquet
from lerobot_storage_v3.reader import open_reader

DATA = "data/chunk-000/file-000.parquet"
EPISODES = "meta/episodes/chunk-000/file-000.parquet"
TASKS = "meta/tasks.parquet"
Rewrite = Callable[[Path, Callable[[pa.Table], pa.Table]], None]


def same(made: Any) -> None:
    """Every row of the dataset is what was written."""
    reader = open_reader(made.root)
    assert len(reader) == sum(made.lengths)
    assert list(reader.tasks) == ["pick", "place"]
    for index in range(0, len(reader), 3):
        row = reader.frames(index, {"action": [-0.1, 0.0]})
        np.testing.assert_array_equal(row["observation.state"], made.states[index])
        np.testing.assert_array_equal(row["action"][1], made.actions[index])
        assert made.shows(row["observation.images.front"], "front", index)
    assert [episode.tasks for episode in reader.episodes] == [("pick",), ("place",), ("pick",)]


def loosened(table: pa.Table) -> pa.Table:
    """As pandas writes it: variable lists, its own metadata, nobody else's."""
    for name in ("action", "observation.state"):
        position = table.column_names.index(name)
        table = table.set_column(position, name, table[name].cast(pa.list_(pa.float32())))
    return table.replace_schema_metadata({"pandas": json.dumps({"index_columns": [], "columns": []})})


def test_pandas_rewrote_the_rows(made: Any, rewrite: Rewrite) -> None:
    rewrite(made.root / DATA, loosened)
    same(made)


def test_float64_and_large_lists(made: Any, rewrite: Rewrite) -> None:
    def widen(table: pa.Table) -> pa.Table:
        wide = table["observation.state"].cast(pa.large_list(pa.float32()))
        return table.set_column(table.column_names.index("observation.state"), "observation.state", wide)

    rewrite(made.root / DATA, widen)
    same(made)


def test_an_older_task_file_without_index_name(made: Any, rewrite: Rewrite) -> None:
    rewrite(made.root / TASKS, lambda table: table.rename_columns(["task_index", "__index_level_0__"]))
    same(made)


def test_tasks_in_another_order(made: Any, rewrite: Rewrite) -> None:
    rewrite(made.root / TASKS, lambda table: table.take([1, 0]))
    same(made)


def test_row_groups_that_cross_episodes(made: Any) -> None:
    table = parquet.read(made.root / DATA, made.root)
    parquet.write(made.root / DATA, table, [5, 5, 20, 9])
    same(made)


def test_columns_in_another_order_and_fewer_statistics(made: Any, rewrite: Rewrite) -> None:
    def converted(table: pa.Table) -> pa.Table:
        kept = [name for name in table.column_names if not name.endswith(("/q01", "/q10", "/q50", "/q90", "/q99"))]
        return table.select(sorted(kept)).append_column("legacy", pa.array(range(3)))

    rewrite(made.root / EPISODES, converted)
    same(made)


def test_a_table_without_tasks(made: Any, rewrite: Rewrite) -> None:
    rewrite(made.root / EPISODES, lambda table: table.drop_columns(["tasks"]))
    same(made)


def test_resumed_with_other_columns(make: Callable[..., Any]) -> None:
    made = make(file_per_episode=True)
    table = parquet.read(made.root / EPISODES, made.root)
    parquet.write(made.root / layout.episodes_file(0, 0), table.slice(0, 2))
    later = table.slice(2, 1).append_column("outcome", pa.array(["success"]))
    parquet.write(made.root / layout.episodes_file(0, 1), later.replace_schema_metadata({"pandas": "{}"}))
    same(made)
    assert [episode.outcome for episode in open_reader(made.root).episodes] == ["none", "none", "success"]


def test_converted_from_version_2_1(made: Any) -> None:
    info = layout.read_json(made.root / layout.INFO)
    info |= {"total_chunks": 1, "total_videos": 6, "from": "somebody"}
    info["features"]["action"]["fps"] = 10.0
    layout.write_json(made.root / layout.INFO, info)
    same(made)
    rewritten = layout.read_info(made.root).to_json()
    assert rewritten["from"] == "somebody"
    assert "total_videos" not in rewritten


def test_a_later_minor_version(made: Any) -> None:
    info = layout.read_json(made.root / layout.INFO) | {"codebase_version": "v3.2"}
    layout.write_json(made.root / layout.INFO, info)
    same(made)


def test_language_passes_through(make: Callable[..., Any]) -> None:
    entry = {"dtype": "language", "shape": [1], "names": None}
    made = make()
    said = [{"role": "user", "content": "go", "style": None, "timestamp": 0.5}]
    table = parquet.read(made.root / DATA, made.root)
    column = pa.array([said if index == 4 else [] for index in range(table.num_rows)])
    parquet.write(made.root / DATA, table.append_column("language_persistent", column))
    made.info.features["language_persistent"] = entry
    layout.write_info(made.root, made.info)
    same(made)
    reader = open_reader(made.root)
    assert reader.frames(4)["language_persistent"] == said
    assert reader.frames(5, {"language_persistent": [-0.1, 0.0]})["language_persistent"] == [said, []]


def test_text_flags_and_matrices(make: Callable[..., Any]) -> None:
    extra = {
        "source": ({"dtype": "string", "shape": [1], "names": None}, lambda index: "policy" if index % 2 else "human"),
        "intervention": ({"dtype": "bool", "shape": [1], "names": None}, lambda index: index % 2 == 0),
        "tactile": ({"dtype": "float32", "shape": [2, 3], "names": None}, lambda index: [[index] * 3, [0.0] * 3]),
    }
    made = make(extra=extra)
    same(made)
    row = open_reader(made.root).frames(20, {"source": [-0.1, 0.0]})
    assert row["source"] == ["policy", "human"]
    assert row["intervention"].dtype == np.bool_
    np.testing.assert_array_equal(row["tactile"], [[20] * 3, [0] * 3])


def test_matrices_carry_the_name_other_readers_know(make: Callable[..., Any]) -> None:
    entry = {"dtype": "float32", "shape": [2, 3], "names": None}
    made = make(extra={"tactile": (entry, lambda index: [[index] * 3, [0.0] * 3])})
    field = pq.read_schema(made.root / DATA).field("tactile")
    assert field.metadata[b"ARROW:extension:name"] == b"datasets.features.features.Array2DExtensionType"


def test_a_gap_in_a_float_column_reads_as_nan(make: Callable[..., Any], rewrite: Rewrite) -> None:
    entry = {"dtype": "float32", "shape": [1], "names": None}
    made = make(extra={"next.reward": (entry, float)})

    def holed(table: pa.Table) -> pa.Table:
        values = [None if index == 3 else float(index) for index in range(table.num_rows)]
        column = pa.array(values, pa.float32())
        return table.set_column(table.column_names.index("next.reward"), "next.reward", column)

    rewrite(made.root / DATA, holed)
    reader = open_reader(made.root)
    assert np.isnan(reader.frames(3)["next.reward"])
    assert reader.frames(2)["next.reward"] == 2.0


@pytest.mark.parametrize(
    "info",
    [{"is_depth_map": True}, {"video.is_depth_map": True}],
)
def test_depth_is_millimetres_on_a_logarithmic_scale(info: dict[str, Any]) -> None:
    entry = {"dtype": "video", "shape": [48, 64, 1], "names": None, "info": info}
    assert depth.is_depth(entry)
    table = depth.millimetres(entry)
    assert (table[0], table[-1]) == (10.0, 10000.0)
    code = round((np.log(1.0 + 3.5) - np.log(3.51)) / (np.log(13.5) - np.log(3.51)) * 4095)
    assert abs(table[code] - 1000.0) <= 2.0


def test_a_linear_depth_scale() -> None:
    info = {"is_depth_map": True, "video.use_log": False, "video.depth_min": 0.0, "video.depth_max": 4.095}
    table = depth.millimetres({"info": info})
    np.testing.assert_array_equal(table, np.arange(4096, dtype=np.float32))


def test_only_what_is_asked_for_is_read(make: Callable[..., Any]) -> None:
    reader = open_reader(make().root)
    whole = reader.frames(3, {"action": [0.0, 0.1]})
    part = reader.frames(3, {"action": [0.0, 0.1]}, only=("action", "episode_index"))
    assert set(part) == {"action", "episode_index", "action_is_pad", "task"}
    np.testing.assert_array_equal(part["action"], whole["action"])
