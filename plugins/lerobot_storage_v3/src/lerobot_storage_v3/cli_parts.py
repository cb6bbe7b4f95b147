"""What the commands of `lr dataset` share: arguments, tables, progress, JSON."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from . import layout

if TYPE_CHECKING:
    from lerobot_core.terminal_region import Progress

    from .findings import Watch

Dataset = Annotated[str, typer.Argument(metavar="DATASET", help="a folder, or ORG/NAME below $HF_LEROBOT_HOME")]
AsJson = Annotated[bool, typer.Option("--json", help="one JSON object on the last line")]


def root_of(dataset: str) -> Path:
    """The folder a person means by a path or a repository id."""
    path = Path(dataset).expanduser()
    if path.exists() or not layout.is_repo_id(dataset):
        return path
    return layout.default_root(dataset, os.environ)


def emit(value: Any) -> None:
    """One JSON object, on the last line of stdout; NaN, which JSON has not, as null."""
    sys.stdout.write(json.dumps(_finite(value)) + "\n")


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if abs(value) != float("inf") and value == value else None
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    return [_finite(item) for item in value] if isinstance(value, list | tuple) else value


def columns(rows: Iterable[tuple[str, ...]]) -> None:
    """A table without lines."""
    table = list(rows)
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for row in table:
        typer.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


@contextmanager
def watching() -> Iterator[Watch]:
    """Progress bars for long work: one for each thing that says how far it is."""
    from lerobot_core.terminal import current

    bars: dict[str, Progress] = {}

    def watch(what: str, done: int, total: int) -> None:
        if what not in bars:
            close()
            bars[what] = current().progress(total, what)
        bars[what].update(done)

    def close() -> None:
        for bar in bars.values():
            bar.close()

    try:
        yield watch
    finally:
        close()


def megabytes(size: int) -> str:
    """`1234567` -> `"1.2 MB"`."""
    return f"{size / 1e6:.1f} MB" if size < 1e9 else f"{size / 1e9:.2f} GB"


def folder_size(root: Path) -> int:
    """Bytes of every file below."""
    return sum(path.stat().st_size for path in root.rglob("*") if path.is_file())
