"""Where log records go: the screen through `Terminal`, and a file when one was asked for. Plugins just use `logging`."""

from __future__ import annotations

import logging
import os
from pathlib import Path

from .errors import UsageError
from .terminal import current

OURS = "lerobot"
"""Loggers whose names begin so are ours or a plugin's; of all others the screen shows warnings and worse."""
DEBUG = "LEROBOT_DEBUG"
_FILE_FORMAT = "%(asctime)s.%(msecs)03d %(levelname)s %(threadName)s %(name)s: %(message)s"


class ScreenHandler(logging.Handler):
    """Records as lines above whatever is live."""

    def emit(self, record: logging.LogRecord) -> None:
        """Never raises, never blocks while something is live."""
        try:
            current().say(self.format(record))
        except Exception:
            self.handleError(record)


class PlainFormatter(logging.Formatter):
    """For a person: `warning: the message`; an `info` is the message alone, a `debug` names its logger."""

    def format(self, record: logging.LogRecord) -> str:
        """One line, and the traceback where the record has one."""
        text = super().format(record)
        if record.levelno == logging.INFO:
            return text
        where = f" {record.name}" if record.levelno < logging.INFO else ""
        return f"{record.levelname.lower()}{where}: {text}"


def setup(level: int | str | None = None, log_file: Path | None = None) -> None:
    """Send records to the screen and, all of ours from `debug` on, to `log_file`. Calling it again starts over.

    Args:
        level: the least that the screen shows of ours; default `info`, `debug` with LEROBOT_DEBUG=1.
        log_file: appended to; its folder is made.

    Raises:
        UsageError: the file cannot be written.
    """
    root, ours = logging.getLogger(), logging.getLogger(OURS)
    for old in [each for each in root.handlers if isinstance(each, (ScreenHandler, _LogFile))]:
        root.removeHandler(old)
        old.close()
    screen = ScreenHandler(level if level is not None else logging.DEBUG if debugging() else logging.INFO)
    screen.setFormatter(PlainFormatter())
    # A record that no handler would show is never made: a loop may log every tick.
    root.setLevel(min(screen.level, logging.INFO))
    ours.setLevel(screen.level if log_file is None else logging.DEBUG)
    handlers: list[logging.Handler] = [screen, *([] if log_file is None else [_open(log_file)])]
    for handler in handlers:
        handler.addFilter(_ours_or_serious)
        root.addHandler(handler)


def debugging() -> bool:
    """Is LEROBOT_DEBUG on."""
    return os.environ.get(DEBUG, "0") not in ("", "0")


def log_file() -> Path | None:
    """The file records go to, None without one."""
    return next((Path(h.baseFilename) for h in logging.getLogger().handlers if isinstance(h, _LogFile)), None)


class _LogFile(logging.FileHandler):
    pass


def _open(path: Path) -> _LogFile:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handler = _LogFile(path, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"--log-file {path} cannot be written", error.strerror or str(error)) from error
    handler.setFormatter(logging.Formatter(_FILE_FORMAT, "%Y-%m-%dT%H:%M:%S"))
    return handler


def _ours_or_serious(record: logging.LogRecord) -> bool:
    return record.levelno >= logging.WARNING or record.name.startswith(OURS)
