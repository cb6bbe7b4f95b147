"""A pseudo-terminal with a job on it, and a screen small enough to check what a person would see."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import textwrap
import time
from pathlib import Path

SHELL = Path(__file__).with_name("job_shell.py")
PATIENCE_S = 20.0


class PseudoTerminal:
    """Runs `script` with stdin, stdout and stderr on a new terminal of `columns` x `rows`."""

    def __init__(self, script: str, columns: int = 80, rows: int = 24, environ: dict[str, str] | None = None) -> None:
        self.master, slave = pty.openpty()
        self.resize(columns, rows)
        inherited = {key: value for key, value in os.environ.items() if key not in ("CI", "NO_COLOR", "TERM")}
        self.shell = subprocess.Popen(
            [sys.executable, str(SHELL), str(slave), "-c", textwrap.dedent(script)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            pass_fds=[slave],
            env={**inherited, "TERM": "xterm-256color", "LC_ALL": "C.UTF-8", **(environ or {})},
        )
        os.close(slave)
        self.output = ""
        self._seen = 0

    def resize(self, columns: int, rows: int) -> None:
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def send(self, keys: bytes) -> None:
        os.write(self.master, keys)

    def expect(self, text: str) -> str:
        """Everything up to and including the next `text` that was not expected before."""
        end = time.monotonic() + PATIENCE_S
        while (found := self.output.find(text, self._seen)) < 0:
            assert self._more(end), f"no {text!r} in {self.output[self._seen :]!r}"
        begin, self._seen = self._seen, found + len(text)
        return self.output[begin : self._seen]

    def _more(self, end: float) -> bool:
        ready, _, _ = select.select([self.master], [], [], max(end - time.monotonic(), 0.0))
        try:
            data = os.read(self.master, 65536) if ready else b""
        except OSError:  # nobody has it open any more
            data = b""
        self.output += data.decode(errors="replace")
        return bool(data)

    def forget(self) -> None:
        """What was written until now is expected no more."""
        while select.select([self.master], [], [], 0.0)[0]:
            self._more(time.monotonic())
        self._seen = len(self.output)

    @property
    def raw(self) -> bool:
        """No echo, and keys as they are pressed."""
        return not termios.tcgetattr(self.master)[3] & (termios.ECHO | termios.ICANON)

    @property
    def cooked(self) -> bool:
        """As a shell wants it."""
        wanted = termios.ECHO | termios.ICANON | termios.ISIG | termios.IEXTEN
        return termios.tcgetattr(self.master)[3] & wanted == wanted

    def report(self) -> str:
        """What the shell says next: `stopped`, or `ended CODE`; output is drained meanwhile."""
        assert self.shell.stdout is not None
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            ready, _, _ = select.select([self.shell.stdout, self.master], [], [], end - time.monotonic())
            if self.shell.stdout in ready:
                return self.shell.stdout.readline().decode().strip()
            if not self._more(end):
                return self.shell.stdout.readline().decode().strip()
        raise AssertionError(f"no report; output {self.output!r}")

    def resume(self, how: bytes = b"fg") -> None:
        """Type `fg` or `bg`."""
        assert self.shell.stdin is not None
        self.shell.stdin.write(how + b"\n")
        self.shell.stdin.flush()

    def hang_up(self) -> None:
        """The window is closed."""
        os.dup2(os.open(os.devnull, os.O_RDWR), self.master)

    def __enter__(self) -> PseudoTerminal:
        return self

    def __exit__(self, *exc: object) -> None:
        self.shell.kill()
        self.shell.wait()
        for stream in (self.shell.stdin, self.shell.stdout):
            assert stream is not None
            stream.close()
        os.close(self.master)


class Glass:
    """The lines a terminal would show, for the few codes that Terminal writes."""

    _TOKEN = re.compile(r"\x1b\[(\d*)([A-Za-z])|\x1b\[[\d;]*m|(\r?\n)|(\r)|(\a)|([^\x1b\r\n\a]+)")

    def __init__(self, columns: int) -> None:
        self.columns = columns
        self.lines = [""]
        self.row = 0

    def feed(self, text: str) -> None:
        for found in self._TOKEN.finditer(text):
            number, code, newline, _, _, plain = found.groups()
            if code == "A":
                self.row -= int(number)
                assert self.row >= 0, "above the first line ever written"
            elif code == "J":
                del self.lines[self.row :]
                self.lines.append("")
            elif newline:
                self.row += 1
                self.lines += [""] * (self.row + 1 - len(self.lines))
            elif plain:
                assert len(plain) < self.columns, f"{len(plain)} columns would wrap at {self.columns}"
                self.lines[self.row] = plain

    @property
    def shown(self) -> list[str]:
        """All lines but the empty one the cursor is on."""
        return self.lines[:-1]
