"""Who asked what, and what became of it: JSON lines that join with a dataset's rows by session, seq and episode."""

from __future__ import annotations

import json
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from lerobot_core.errors import ConfigError

from .sessions import Session


class Audit:
    """Appends to a file; without one it does nothing.

    Raises:
        ConfigError: the file cannot be written.
    """

    def __init__(self, path: Path | None) -> None:
        self._lock = threading.Lock()
        self._file: IO[str] | None = None
        if path is not None:
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                self._file = path.open("a", encoding="utf-8", buffering=1)
            except OSError as error:
                raise ConfigError(f"--audit-log {path} cannot be written", str(error)) from error

    def write(self, event: str, session: Session | None = None, **found: Any) -> None:
        """One line; `ts` is for people, nothing is ever compared with it."""
        if self._file is None:
            return
        who = {} if session is None else {"session": f"{session.id:016x}", "robot": session.robot}
        line = {"ts": datetime.now(UTC).isoformat(timespec="milliseconds"), "event": event, **who, **found}
        with self._lock:
            if not self._file.closed:
                self._file.write(json.dumps(line) + "\n")

    def close(self) -> None:
        """Idempotent."""
        with self._lock:
            if self._file is not None:
                self._file.close()
