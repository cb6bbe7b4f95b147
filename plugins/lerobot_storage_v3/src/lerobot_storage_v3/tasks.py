"""`meta/tasks.parquet`: the instructions, by task index."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
from lerobot_core.errors import StorageError

from . import parquet
from .layout import TASKS

# The peer reads this file with pandas and takes the index for the text; without this key it would find no index.
_PANDAS = {
    "index_columns": ["task"],
    "column_indexes": [
        {
            "name": None,
            "field_name": None,
            "pandas_type": "unicode",
            "numpy_type": "object",
            "metadata": {"encoding": "UTF-8"},
        }
    ],
    "columns": [
        {
            "name": "task_index",
            "field_name": "task_index",
            "pandas_type": "int64",
            "numpy_type": "int64",
            "metadata": None,
        },
        {"name": "task", "field_name": "task", "pandas_type": "unicode", "numpy_type": "object", "metadata": None},
    ],
    "attributes": {},
    "creator": {"library": "pyarrow", "version": pa.__version__},
    "pandas_version": "2.0.0",
}
_TEXT_COLUMNS = ("task", "__index_level_0__")


def read_tasks(root: Path) -> list[str]:
    """Every instruction, at its task index.

    Raises:
        StorageError: missing, damaged, or its indices are not 0..n-1.
    """
    table = parquet.read(root / TASKS, root)
    text = next((name for name in _TEXT_COLUMNS if name in table.column_names), None)
    if text is None or "task_index" not in table.column_names:
        raise StorageError(
            f"{TASKS} in {root} has columns {table.column_names}",
            "it needs task_index and task",
            f"lr dataset repair {root}",
        )
    by_index = dict(zip(table["task_index"].to_pylist(), table[text].to_pylist(), strict=True))
    if sorted(by_index) != list(range(table.num_rows)):
        raise StorageError(f"{TASKS} in {root} has gaps or repeats in task_index", "", f"lr dataset repair {root}")
    return [str(by_index[index]) for index in range(len(by_index))]


def tasks_table(tasks: Sequence[str]) -> pa.Table:
    """The file's content: columns `task_index` and `task`, row order = index order."""
    columns = {"task_index": pa.array(range(len(tasks)), pa.int64()), "task": pa.array(tasks, pa.string())}
    return pa.table(columns).replace_schema_metadata({"pandas": json.dumps(_PANDAS)})


def write_tasks(root: Path, tasks: Sequence[str]) -> None:
    """Replace the file."""
    parquet.write(root / TASKS, tasks_table(tasks))
