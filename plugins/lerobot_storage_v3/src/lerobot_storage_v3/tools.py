"""What the storage offers besides writing: its reader and its repair."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from lerobot_core.types import Problem

if TYPE_CHECKING:
    from .reader import LerobotReader


class LerobotTools:
    """Found on the storage's spec."""

    def reader(self, root: str | Path, revision: str | None = None) -> LerobotReader:
        """Open for reading, by folder or `org/name`.

        Raises:
            StorageError: there is no dataset, or not one we can read.
        """
        from .reader import open_reader

        return open_reader(root, revision)

    def repair(self, root: str | Path) -> list[Problem]:
        """Bring a crashed dataset back; returns what was done, empty when nothing was needed.

        Raises:
            StorageError: another process is writing to it, or it cannot be written.
        """
        from .repair import repair

        return repair(Path(root))
