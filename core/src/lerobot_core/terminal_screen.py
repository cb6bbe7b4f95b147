"""What is drawn: a block of live lines at the bottom of the screen, everything else scrolling by above it."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Sequence
from typing import TextIO

from .terminal_text import clip, columns

DEFAULT_SIZE = (80, 24)


class Screen:
    """The one writer to the screen; every method may be called from any thread.

    A screen that cannot be written to (a closed pipe, a terminal that went away) is silent from then on: losing the
    view must not end a run.

    Attributes:
        lock: held while writing, which may block; hold it to keep several calls together.

    Args:
        stream: None for `sys.stderr` as it is at the time of each call.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream
        self.lock = threading.RLock()
        self._rows: list[int] = []
        self._dead: TextIO | None = None

    @property
    def stream(self) -> TextIO:
        """Where it writes."""
        return sys.stderr if self._stream is None else self._stream

    @property
    def is_terminal(self) -> bool:
        """Is it a terminal."""
        try:
            return self.stream.isatty()
        except (AttributeError, ValueError):  # pythonw has no stderr; a closed stream
            return False

    @property
    def unicode(self) -> bool:
        """Can it show more than ASCII."""
        return (getattr(self.stream, "encoding", None) or "").lower().replace("-", "").startswith("utf")

    @property
    def size(self) -> tuple[int, int]:
        """Columns and rows now; 80 x 24 when it is no terminal or does not say."""
        try:
            width, height = os.get_terminal_size(self.stream.fileno())
        except (AttributeError, OSError, ValueError):
            return DEFAULT_SIZE
        return width or DEFAULT_SIZE[0], height or DEFAULT_SIZE[1]

    def write(self, text: str) -> None:
        """Write as it is, at once."""
        with self.lock:
            stream = self.stream
            if stream is self._dead:
                return
            try:
                stream.write(text)
                stream.flush()
            except UnicodeEncodeError:
                self.write(text.encode("ascii", "replace").decode())
            except BlockingIOError:
                pass  # somebody made it non-blocking and it is full: this much is lost
            except (AttributeError, OSError, ValueError):
                self._dead = stream

    def draw(self, above: Sequence[str], block: Sequence[str]) -> None:
        """Replace the live block by `block`, with `above` scrolled in over it; one write, so that nothing flickers."""
        with self.lock:
            width, height = self.size
            lines = [clip(line, width - 1) for line in block[: height - 1]]
            text = "".join(f"{line}\n" for line in [*above, *lines])
            if text or self._rows:
                self.write(self._erase(width) + text)
            self._rows = [columns(line) for line in lines]

    def forget(self) -> None:
        """Somebody else wrote below the block: leave it where it is and begin a new one."""
        with self.lock:
            self._rows = []

    def _erase(self, width: int) -> str:
        """Back to where the block began. A terminal made narrower since has folded its lines: count rows at today's width."""
        rows = sum(max(1, -(-taken // width)) for taken in self._rows)
        return f"\x1b[{rows}A\r\x1b[J" if rows else ""
