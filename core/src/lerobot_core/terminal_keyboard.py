"""Who hears the keys: decoded bytes go to the newest listener, or into the line being typed."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from .terminal_keys import Key, KeyDecoder, Line, LineEditor
from .terminal_text import styled

Handler = Callable[[Key | Line], None]
STOP_NOW = "ctrl-\\"


class Listener:
    """One who hears keys; the newest hears them alone until it is closed.

    Attributes:
        handler: called on the terminal's thread; must not block.
        lines: `/` opens a line for it.
    """

    def __init__(self, handler: Handler, lines: bool, close: Callable[[Listener], None]) -> None:
        self.handler, self.lines, self._close = handler, lines, close

    def close(self) -> None:
        """Stop listening; the one before hears keys again. Idempotent."""
        self._close(self)

    def __enter__(self) -> Listener:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


class Keyboard:
    """Listeners, and the line one of them is being typed.

    Args:
        changed: the line being typed looks different now.
        complain: a handler raised; told in one line.
    """

    def __init__(self, changed: Callable[[], None], complain: Callable[[str], None]) -> None:
        self._changed, self._complain = changed, complain
        self._lock = threading.RLock()
        self._listeners: list[Listener] = []
        self._editor: LineEditor | None = None
        self._decoder = KeyDecoder()

    def __bool__(self) -> bool:
        return bool(self._listeners)

    def add(self, listener: Listener) -> None:
        """The newest from now on."""
        with self._lock:
            self._listeners.append(listener)

    def remove(self, listener: Listener) -> None:
        """Hears nothing more; a line begun for it is forgotten. Idempotent."""
        with self._lock:
            if listener in self._listeners:
                self._listeners.remove(listener)
                self._editor = None

    def clear(self) -> None:
        """Nobody hears."""
        with self._lock:
            self._listeners.clear()
            self._editor = None

    @property
    def patience(self) -> float | None:
        """Seconds until `flush` is due; None when nothing is kept back."""
        return self._decoder.patience

    def feed(self, data: bytes) -> None:
        """Bytes as they were read; none at all means that the terminal went away."""
        self._hear(self._decoder.feed(data) if data else ["hangup"])

    def flush(self) -> None:
        """Nothing followed in time."""
        self._hear(self._decoder.flush())

    def prompt(self, width: int) -> str | None:
        """The line being typed, scrolled so that the cursor is in sight; None without one."""
        with self._lock:
            if self._editor is None:
                return None
            text, cursor = self._editor.text, self._editor.cursor
        start = max(0, cursor - max(width - 30, 10))
        under = styled((text + " ")[cursor], "reverse")
        hint = "" if text else "  enter sends, esc cancels"
        return f"/{text[start:cursor]}{under}{text[cursor + 1 :]}{hint}"

    def _hear(self, names: Sequence[str]) -> None:
        for name in names:
            event = self._event(name)
            if event is not None:
                self._deliver(event)

    def _event(self, name: str) -> Key | Line | None:
        """What a key means here: itself, or a step in a line being typed."""
        with self._lock:
            if self._editor is None:
                if name != "/" or not (self._listeners and self._listeners[-1].lines):
                    return Key(name)
                self._editor, line = LineEditor(), None
            elif name in (STOP_NOW, "hangup"):
                return Key(name)  # whatever is on screen
            else:
                line = self._edit(self._editor, name)
        self._changed()
        return line

    def _edit(self, editor: LineEditor, name: str) -> Line | None:
        step, text = editor.press(name), editor.text.strip()
        if step != "more":
            self._editor = None
        return Line(text) if step == "sent" and text else None

    def _deliver(self, event: Key | Line) -> None:
        with self._lock:
            listener = self._listeners[-1] if self._listeners else None
        if listener is None:
            return
        try:
            listener.handler(event)
        except Exception as error:  # whoever it is, the other keys must go on working
            self._complain(f"a key handler failed: {type(error).__name__}: {error}")
