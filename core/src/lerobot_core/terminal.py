"""The owner of stdin and the screen. Operators, progress bars, views and calibration ask it; nobody else touches them.

    say          one line, above whatever is live
    view         a region of lines, redrawn in place at most ten times a second
    progress     a bar
    listen       keys as they are pressed, and lines typed after `/`
    wait_person  until somebody did something with their hands; watch_person looks on meanwhile
    confirm      yes or no

The screen is stderr: stdout belongs to what a program may read. Piped, there are plain lines only; without a person,
questions are errors. While something is live, one thread draws and reads, so that a stalled terminal (a hung SSH
session) never holds up the thread that moves the arm.
"""

from __future__ import annotations

import functools
import os
import select
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, TextIO

from .errors import UserError
from .terminal_keyboard import Handler, Keyboard, Listener
from .terminal_keys import Key, Line
from .terminal_region import Progress, Region
from .terminal_screen import Screen
from .terminal_text import styled

if TYPE_CHECKING:
    from .terminal_mode import RawMode

REDRAW_S = 0.1
"""Ten times a second is as fast as a person reads, and slow enough for SSH."""
JOIN_S = 1.0
LOOK_S = 0.02
PRESENCE = "run it in a terminal, with somebody at the arm"


class Terminal:
    """Stdin and screen.

    Args:
        stdin: the file descriptor keys come from.
        screen: where to draw; None for `sys.stderr`.
        environ: read for NO_COLOR and CI; default `os.environ`.
    """

    def __init__(self, stdin: int = 0, screen: TextIO | None = None, environ: Mapping[str, str] | None = None) -> None:
        self._stdin = stdin
        self._screen = Screen(screen)
        self._environ = os.environ if environ is None else environ
        self._state = threading.RLock()
        self._said: list[str] = []
        self._regions: dict[str, Region] = {}
        self._keyboard = Keyboard(self.refresh, self.say)
        self._mode: RawMode | None = None
        self._thread: threading.Thread | None = None
        self._wake: tuple[int, int] | None = None
        self._hooked = False
        self._dirty = False
        self._drawn = -REDRAW_S
        self._paused = False

    # --- what is there ----------------------------------------------------------------------------------------------

    @property
    def live(self) -> bool:
        """Can lines be redrawn in place."""
        # The drawing thread waits with `select` on a pipe, which only POSIX offers.
        return os.name == "posix" and self._screen.is_terminal and self._environ.get("TERM") != "dumb"

    @property
    def colour(self) -> bool:
        """May text be coloured."""
        return self.live and not self._environ.get("NO_COLOR")

    @property
    def keys(self) -> bool:
        """Can keys be read."""
        return not self._keyless()

    @property
    def person(self) -> bool:
        """Is somebody there who can read a question and answer it."""
        return self.keys and self.live and self._environ.get("CI", "").lower() in ("", "0", "false")

    @property
    def size(self) -> tuple[int, int]:
        """Columns and rows now."""
        return self._screen.size

    def style(self, text: str, *styles: str) -> str:
        """`text` in `styles` (`"bold"`, `"red"`, …) where colour is wanted, else as it is."""
        return styled(text, *styles) if self.colour else text

    # --- showing ----------------------------------------------------------------------------------------------------

    def say(self, text: str, bell: bool = False) -> None:
        """Print `text`, above what is live; `bell` rings where there is a terminal."""
        text = ("\a" if bell and self.live else "") + text
        with self._state:
            if queued := self._thread is not None:
                self._said.append(text)
        if queued:
            self.refresh()
        else:
            self._screen.write(f"{text}\n")

    def view(self, name: str, plain_every: float | None = None) -> Region:
        """The region called `name`, made at the bottom when there is none.

        Args:
            name: one part, one name.
            plain_every: where nothing can be redrawn, print the lines every so many seconds; None: never.
        """
        with self._state:
            if name not in self._regions:
                self._regions[name] = Region(self, name, plain_every)
            region = self._regions[name]
        if self.live:
            self._start()
        return region

    def progress(self, total: int | None, label: str, unit: str = "") -> Progress:
        """A bar for `total` steps (None: not known), a plain line now and then where nothing can be redrawn."""
        return Progress(self, total, label, unit, self._screen.unicode)

    def refresh(self) -> None:
        """Something live has changed: it is drawn within `REDRAW_S`, once for all changes. Never blocks."""
        with self._state:
            asleep, self._dirty = not self._dirty, True
        if asleep:
            self._ring()

    def remove(self, region: Region) -> None:
        """Take a region away; with the last live thing the screen is brought up to date before this returns."""
        with self._state:
            if self._regions.get(region.name) is region:
                del self._regions[region.name]
        self.refresh()
        self._rest()

    # --- asking -----------------------------------------------------------------------------------------------------

    def listen(self, handler: Handler, lines: bool = True) -> Listener:
        """Call `handler` with every `Key`, on the terminal's thread, until the listener is closed.

        Args:
            handler: must not block.
            lines: `/` opens a line; what is typed arrives as a `Line`. While it is open only Ctrl-\\ still arrives as a
                key: it must work whatever is on screen.

        Raises:
            UserError: no keys can be read here.
        """
        self.require_keys()
        listener = Listener(handler, lines, self._unlisten)
        self._keyboard.add(listener)
        self._raw_mode().enter()
        self._start()
        self._ring()
        return listener

    def require_keys(self) -> None:
        """UserError where no keys can be read."""
        if why := self._keyless():
            raise UserError("keys cannot be read", why, "run it in the foreground of a terminal")

    def wait_person(self, what: str) -> None:
        """Ask for `what` and return when somebody pressed enter; UserError where nobody can."""
        self._ask(f"{what}, then press enter", ("enter",), PRESENCE)

    def watch_person(self, what: str, look: Callable[[], None]) -> None:
        """As `wait_person`, calling `look` about fifty times a second meanwhile."""
        self._ask(f"{what}, then press enter", ("enter",), PRESENCE, look)

    def confirm(self, question: str, fix: str = "add --yes") -> bool:
        """Yes or no; UserError with `fix` where nobody can answer."""
        return self._ask(f"{question} [y/n]", ("y", "n"), fix) == "y"

    def _keyless(self) -> str:
        """Why no keys can be read, "" when they can."""
        from .terminal_mode import in_foreground

        if not hasattr(os, "tcgetpgrp"):
            return "this platform has no POSIX terminal"
        try:
            if not os.isatty(self._stdin):
                return "stdin is no terminal"
        except OSError:
            return "stdin is closed"
        return "" if in_foreground(self._stdin) else "this is a background job"

    def _ask(self, prompt: str, wanted: Sequence[str], fix: str, look: Callable[[], None] | None = None) -> str:
        if not self.person:
            raise UserError(f"a person is needed: {prompt}", "stdin or the screen is no terminal, or this is CI", fix)
        answers: list[str] = []
        heard, tell = (os.fdopen(end, mode, buffering=0) for end, mode in zip(os.pipe(), ("rb", "wb"), strict=True))

        def hear(event: Key | Line) -> None:
            name = event.name.lower() if isinstance(event, Key) else ""
            if name in (*wanted, "hangup") and not answers:
                answers.append(name)
                tell.write(b".")

        with heard, tell, self.listen(hear, lines=False), self.view("question") as region:
            region.update([self.style(prompt, "bold")])
            while not select.select([heard], [], [], None if look is None else LOOK_S)[0]:
                if look is not None:
                    look()
            region.close(keep=True)
        if answers == ["hangup"]:
            raise UserError("the terminal went away before anybody answered")
        return answers[0]

    # --- ending -----------------------------------------------------------------------------------------------------

    def close(self) -> None:
        """Everything as it was: regions gone, what was said shown, keys given back. Idempotent; it may be used again."""
        with self._state:
            self._regions.clear()
        self._keyboard.clear()
        if self._mode is not None:
            self._mode.leave()
        self._rest()

    def restore(self) -> None:
        """Give the keys back and nothing else, for a process about to end by `os._exit`."""
        if self._mode is not None:
            self._mode.leave()

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _unlisten(self, listener: Listener) -> None:
        self._keyboard.remove(listener)
        if not self._keyboard and self._mode is not None:
            self._mode.leave()
        self.refresh()
        self._rest()

    def _rest(self) -> None:
        """Without anything live there is no thread; it draws once more as it ends."""
        with self._state:
            if self._regions or self._keyboard or self._thread is None:
                return
            thread, self._thread = self._thread, None
        self._ring()
        if thread is not threading.current_thread():
            thread.join(JOIN_S)  # not longer: a stalled terminal must not keep the process from ending

    # --- the thread -------------------------------------------------------------------------------------------------

    def _raw_mode(self) -> RawMode:
        if self._mode is None:
            from .terminal_mode import RawMode

            self._mode = RawMode(self._stdin, self._suspend, self._resume, self.close)
        return self._mode

    def _start(self) -> None:
        with self._state:
            if self._thread is not None:
                return
            if self._wake is None:
                self._wake = os.pipe()
                for end in self._wake:
                    os.set_blocking(end, False)
            if not self._hooked:
                from .terminal_mode import on_exit

                self._hooked = True
                on_exit(self.close)
            self._thread = threading.Thread(target=self._loop, name="terminal", daemon=True)
            self._thread.start()

    def _ring(self) -> None:
        """Let the thread look again."""
        if self._wake is not None:
            try:
                os.write(self._wake[1], b".")
            except BlockingIOError:
                pass  # full: it will

    def _loop(self) -> None:
        while self._thread is threading.current_thread():
            self._wait()
            if self._dirty and time.monotonic() - self._drawn >= REDRAW_S:
                self._draw()
        self._draw()

    def _wait(self) -> None:
        assert self._wake is not None
        reading = self._mode is not None and self._mode.active
        patience = self._keyboard.patience
        due = max(self._drawn + REDRAW_S - time.monotonic(), 0.0) if self._dirty else None
        limits = [limit for limit in (patience, due) if limit is not None]
        watched = [self._wake[0], *([self._stdin] if reading else [])]
        try:
            ready, _, _ = select.select(watched, [], [], min(limits, default=None))
        except OSError:  # somebody closed stdin
            ready = [self._stdin]
        if self._wake[0] in ready:
            os.read(self._wake[0], 4096)
        if self._stdin in ready:
            self._read()
        elif patience is not None and not ready:
            self._keyboard.flush()

    def _read(self) -> None:
        try:
            data = os.read(self._stdin, 1024)
        except OSError:
            data = b""
        if not data and self._mode is not None:
            self._mode.leave()
        self._keyboard.feed(data)

    # --- drawing ----------------------------------------------------------------------------------------------------

    def _draw(self) -> None:
        with self._screen.lock:
            with self._state:
                said, self._said = self._said, []
                self._dirty = False
                block = self._block() if self.live and not self._paused else []
            self._drawn = time.monotonic()
            self._screen.draw(said, block)

    def _block(self) -> list[str]:
        prompt = self._keyboard.prompt(self.size[0])
        return [*(line for region in self._regions.values() for line in region.lines), *([prompt] if prompt else [])]

    def _suspend(self) -> None:
        self._paused = True
        self._draw()

    def _resume(self) -> None:
        self._paused = False
        self._screen.forget()
        self.refresh()


@functools.cache
def current() -> Terminal:
    """The process's one terminal."""
    return Terminal()
