"""A stage: a folder in which files are made ready, flushed, and from which they move to their places together.

Its manifest is the point of no return. It is written after every staged file is on the disk; a stage that has one is
rolled forward after a crash, a stage without one was never finished.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path

from .durability import PRIVATE, DurableFile, sync_files, sync_folders, write_file
from .faults import NONE, Faults

MANIFEST = "manifest.json"
TRASH = "trash-"
Moves = Sequence[tuple[str, str]]
"""(name in the stage, path below the root), in the order in which they become visible."""


class Stage:
    """`ROOT/.lr/NAME`.

    Args:
        kind: names its fault points: `save` or `compact`.
    """

    def __init__(self, root: Path, name: str, kind: str = "save", faults: Faults = NONE) -> None:
        self.root, self.folder = root, root / PRIVATE / name
        self._kind, self._faults = kind, faults
        self._settled = False

    def create(self) -> Stage:
        """Make the folder."""
        self.folder.mkdir(parents=True)
        return self

    def path(self, name: str) -> Path:
        """A file in the stage."""
        return self.folder / name

    def commit(self, moves: Moves, deletes: Sequence[str], files: Iterable[DurableFile]) -> None:
        """Flush `files`, then the manifest: from here on the moves will happen, crash or not."""
        self.reach("sync")
        sync_files(files)
        self.reach("manifest")
        manifest = {"schema": 1, "moves": list(moves), "deletes": list(deletes)}
        sync_files([write_file(self.path(MANIFEST), json.dumps(manifest).encode(), self._faults)])
        sync_folders([self.folder, self.folder.parent])

    def move(self, moves: Moves) -> None:
        """Put every file that is still here in its place."""
        for name, target in moves:
            source, place = self.path(name), self.root / target
            if source.exists():
                self.reach("move")
                place.parent.mkdir(parents=True, exist_ok=True)
                os.replace(source, place)

    def flush(self, moves: Moves) -> None:
        """Make the moves themselves last; until then the manifest would repeat them."""
        self.reach("flush")
        places = [self.root / target for _, target in moves]
        sync_folders(parent for place in places for parent in place.parents if parent.is_relative_to(self.root))

    def delete(self, deletes: Sequence[str]) -> None:
        """Remove what the moves replaced."""
        for target in deletes:
            self.reach("delete")
            (self.root / target).unlink(missing_ok=True)

    def is_pending(self) -> bool:
        """True when it was committed and not everything has happened: only a roll-forward may remove it."""
        return self.manifest() is not None and not self._settled

    def settle(self) -> None:
        """Everything has happened and lasts."""
        self._settled = True

    def remove(self) -> None:
        """The stage is over, or was given up: the folder goes, in one step as far as a crash can tell."""
        self.reach("clean")
        trash = self.folder.with_name(TRASH + self.folder.name)
        shutil.rmtree(trash, ignore_errors=True)
        os.replace(self.folder, trash)
        shutil.rmtree(trash, ignore_errors=True)

    def reach(self, step: str) -> None:
        """Report a step as `save.STEP` or `compact.STEP`."""
        self._faults.reach(f"{self._kind}.{step}")

    def manifest(self) -> tuple[Moves, list[str]] | None:
        """Moves and deletes of a stage that was committed, else None."""
        try:
            found = json.loads(self.path(MANIFEST).read_bytes())
            moves = [(str(name), str(target)) for name, target in found["moves"]]
            return moves, [str(target) for target in found["deletes"]]
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def roll_forward(self) -> bool:
        """Finish a committed stage; False when it never was committed."""
        found = self.manifest()
        if found is None:
            return False
        moves, deletes = found
        self.move(moves)
        self.flush(moves)
        self.delete(deletes)
        self.remove()
        return True
