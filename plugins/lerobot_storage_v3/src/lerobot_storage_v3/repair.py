"""Bringing a crashed dataset back: what was committed is finished, what was captured is kept, the rest is named."""

from __future__ import annotations

import shutil
from pathlib import Path

from lerobot_core.types import Problem

from . import layout
from .durability import PRIVATE, WriterLock, storage_error
from .faults import NONE, Faults
from .ledger import Ledger
from .mend import mend
from .recover import recover
from .stage import TRASH, Stage


def repair(root: Path) -> list[Problem]:
    """Bring the dataset at `root` back; returns what was done, empty when nothing was needed.

    Raises:
        StorageError: there is no dataset, another process is writing to it, or the disk does not take it.
    """
    if not (root / layout.INFO).is_file() and not any(root.glob("meta/episodes/*/*.parquet")):
        layout.read_info(root)  # says what is wrong with the folder
    try:
        lock = WriterLock(root)
        try:
            return repair_locked(root)
        finally:
            lock.release()
    except OSError as error:
        raise storage_error(error, root) from error


def repair_locked(root: Path, faults: Faults = NONE) -> list[Problem]:
    """The same for whoever holds the lock."""
    done: list[Problem] = []
    stages = _stages(root, faults)
    for stage in stages:
        if stage.roll_forward():
            done.append(_did(stage, "was on the disk but not in its place; it is now"))
    done += mend(root)
    for stage in stages:
        if stage.folder.exists():
            done += _unfinished(root, stage, faults)
    return done


def _stages(root: Path, faults: Faults) -> list[Stage]:
    folder = root / PRIVATE
    for trash in folder.glob(f"{TRASH}*"):
        shutil.rmtree(trash, ignore_errors=True)
    names = sorted(path.name for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []
    return [Stage(root, name, faults=faults) for name in names]


def _unfinished(root: Path, stage: Stage, faults: Faults) -> list[Problem]:
    if not stage.folder.name.startswith("episode-"):
        stage.remove()  # a compaction that changed nothing yet
        return []
    ledger = Ledger.load(root)
    index, rows = ledger.info.total_episodes, recover(ledger, stage, faults)
    if not rows:
        return [_did(stage, "was being recorded and had no whole row yet; nothing could be kept")]
    return [_did(stage, f"was being recorded; {rows} rows of it are saved as episode {index}")]


def _did(stage: Stage, what: str) -> Problem:
    kind, number = stage.folder.name.rsplit("-", 1)
    name = f"episode {int(number)}" if kind == "episode" else "a merge of files"
    return Problem("warning", stage.folder.name, f"{name} {what}")
