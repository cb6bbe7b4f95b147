"""Raw keys on a terminal, and giving it back on every way out: exit, crash, SIGTERM, SIGTSTP. POSIX calls only when used."""

from __future__ import annotations

import atexit
import os
import signal
import sys
import threading
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any


class RawMode:
    """Keys as they are pressed, without echo, on one terminal; Ctrl-C and Ctrl-Z keep their meaning.

    Args:
        fd: the terminal.
        suspended, resumed: called around a stop by Ctrl-Z, on the main thread.
        ended: called before SIGTERM or SIGHUP ends the process.
    """

    def __init__(
        self, fd: int, suspended: Callable[[], None], resumed: Callable[[], None], ended: Callable[[], None]
    ) -> None:
        self._fd = os.dup(fd)  # ours, should somebody close theirs
        self._suspended, self._resumed, self._ended = suspended, resumed, ended
        self._saved: list[Any] | None = None
        self._wanted = False
        self._handlers: dict[int, Any] = {}
        self._pid = os.getpid()

    @property
    def active(self) -> bool:
        """Is the terminal raw now; false while the process is in the background."""
        return self._saved is not None

    def enter(self) -> None:
        """Make it raw, until `leave`; from the background, as soon as it comes to the foreground."""
        self._wanted = True
        self._take_signals()
        self._set_raw()

    def leave(self) -> None:
        """Give it back as it was. Idempotent."""
        self._wanted = False
        self._restore()
        if threading.current_thread() is threading.main_thread():
            while self._handlers:
                number, handler = self._handlers.popitem()
                signal.signal(number, handler)

    def _set_raw(self) -> None:
        import termios

        if self.active or not in_foreground(self._fd):
            return  # changing it from the background would stop the process (SIGTTOU)
        try:
            saved = termios.tcgetattr(self._fd)
            raw = termios.tcgetattr(self._fd)
            raw[0] &= ~termios.IXON  # Ctrl-S would freeze the view
            raw[3] &= ~(termios.ICANON | termios.ECHO | termios.IEXTEN)
            raw[6][termios.VMIN], raw[6][termios.VTIME] = 1, 0
            raw[6][termios.VQUIT] = os.fpathconf(self._fd, "PC_VDISABLE").to_bytes(1, "big")  # Ctrl-\ is our stop_now
            termios.tcflush(self._fd, termios.TCIFLUSH)  # keys pressed before anybody listened mean nothing
            termios.tcsetattr(self._fd, termios.TCSANOW, raw)
        except (OSError, termios.error):
            return  # the terminal went away
        self._saved = saved

    def _restore(self) -> None:
        saved, self._saved = self._saved, None
        if saved is None or os.getpid() != self._pid:
            return  # a forked child must not touch its parent's terminal
        import termios

        try:
            termios.tcsetattr(self._fd, termios.TCSANOW, saved)
        except (OSError, termios.error):
            pass

    # --- ways out ---------------------------------------------------------------------------------------------------

    def _take_signals(self) -> None:
        """Only those that nobody handles: a run has its own way of ending, which closes the terminal."""
        if threading.current_thread() is not threading.main_thread():
            return
        wanted = {signal.SIGTERM: self._on_end, signal.SIGHUP: self._on_end, signal.SIGTSTP: self._on_stop}
        for number, handler in wanted.items():
            if number not in self._handlers and signal.getsignal(number) is signal.SIG_DFL:
                self._handlers[number] = signal.signal(number, handler)
        if signal.SIGTSTP in self._handlers and signal.SIGCONT not in self._handlers:
            self._handlers[signal.SIGCONT] = signal.signal(signal.SIGCONT, self._on_continue)

    def _on_end(self, number: int, frame: FrameType | None) -> None:
        self._ended()
        self._restore()
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)

    def _on_stop(self, number: int, frame: FrameType | None) -> None:
        self._suspended()
        self._restore()
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
        self._on_continue(signal.SIGCONT, None)  # reached without a SIGCONT where the kernel discards the stop

    def _on_continue(self, number: int, frame: FrameType | None) -> None:
        if not self._wanted:
            return
        signal.signal(signal.SIGTSTP, self._on_stop)
        if not in_foreground(self._fd):
            self._saved = None  # the terminal is the shell's now, until another SIGCONT brings us back
            return
        self._restore()  # after a SIGSTOP the shell may have changed it: begin from what we first found
        self._set_raw()
        self._resumed()


def in_foreground(fd: int) -> bool:
    """May this process read and change the terminal now; False for a background job."""
    try:
        return os.tcgetpgrp(fd) == os.getpgrp()
    except (AttributeError, OSError):
        return False


def on_exit(act: Callable[[], None]) -> None:
    """Call `act` when this process ends, normally or by an exception (then before the traceback is printed)."""
    pid = os.getpid()

    def here() -> None:
        if os.getpid() == pid:  # not in a forked child
            act()

    before = sys.excepthook

    def hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        here()
        before(kind, error, trace)

    sys.excepthook = hook
    atexit.register(here)
