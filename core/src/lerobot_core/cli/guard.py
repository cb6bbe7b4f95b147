"""From what a verb raised to an exit code and at most five lines."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable, Sequence
from types import TracebackType

from ..errors import UserError

INTERRUPTED = 130
_PATH, _RIGHTS = "check the path", "check its permissions, or name another place"
REFUSED = {
    **dict.fromkeys((errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.EEXIST), _PATH),
    **dict.fromkeys((errno.EACCES, errno.EPERM, errno.EROFS), _RIGHTS),
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT), "free some space"),
}
"""What to do about a file that the system refused, wherever in a verb that was: no fault of the program."""


def guarded(act: Callable[[], int], argv: Sequence[str]) -> int:
    """Run `act`; whatever it raises becomes an exit code, told on stderr. The terminal is given back first."""
    try:
        code = act()
        sys.stdout.flush()
    except UserError as error:
        _tell(f"error: {error}", error)
        if not error.reported:
            _answer(argv, error.what, error.why, error.fix)
        return error.exit_code
    except BrokenPipeError:
        _silence(sys.stdout.fileno())  # the reader has seen enough
        return 1
    except OSError as error:
        if error.filename is None or error.errno not in REFUSED:
            return _crashed(error, argv)
        refused = UserError(f"{error.filename} cannot be used", error.strerror or "", REFUSED[error.errno])
        _tell(f"error: {refused}", error)
        _answer(argv, refused.what, refused.why, refused.fix)
        return refused.exit_code
    except KeyboardInterrupt:
        _tell("interrupted")
        return INTERRUPTED
    except Exception as error:
        return _crashed(error, argv)
    return code


def _crashed(error: Exception, argv: Sequence[str]) -> int:
    _tell(_crash(error, argv), error)
    _answer(argv, f"{type(error).__name__}: {error}")
    return 1


def _tell(text: str, error: Exception | None = None) -> None:
    if "lerobot_core.terminal" in sys.modules:
        from ..terminal import current

        current().close()
    try:
        if error is not None and _debugging():
            import traceback

            traceback.print_exception(error)
        print(text, file=sys.stderr, flush=True)
    except OSError:
        pass  # nobody reads it


def _answer(argv: Sequence[str], what: str, why: str = "", fix: str = "") -> None:
    """With `--json` a program reads the last line of stdout, and it is an object on every way out."""
    if "--json" not in argv:
        return
    import json

    found = {"schema": 1, "verb": argv[0], "outcome": "failed", "reason": what, "why": why, "fix": fix}
    try:
        print(json.dumps(found), flush=True)
    except OSError:
        pass  # nobody reads it


def _debugging() -> bool:
    return os.environ.get("LEROBOT_DEBUG", "0") not in ("", "0")


def _crash(error: Exception, argv: Sequence[str]) -> str:
    words = " ".join(str(error).split()) or "no message"
    where = _keep(error)
    lines = [
        f"error: lr {argv[0] if argv else ''} failed unexpectedly: {type(error).__name__}: {words}",
        f"  in {_place(error.__traceback__)}",
        f"  the full traceback is in {where}" if where else "  LEROBOT_DEBUG=1 shows the full traceback",
    ]
    return "\n".join(lines if not _debugging() else lines[:1])


def _place(trace: TracebackType | None) -> str:
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace is not None else "an unknown place"


def _keep(error: Exception) -> str:
    """Where the traceback was written: the log file, else a file of its own, as a run may not fail twice; "" nowhere."""
    import logging
    import tempfile
    import traceback

    from .. import logs

    if (path := logs.log_file()) is not None:
        logging.getLogger("lerobot").debug("unexpected", exc_info=error)
        return str(path)
    try:
        with tempfile.NamedTemporaryFile("w", prefix="lr-", suffix=".txt", delete=False) as file:
            file.write("".join(traceback.format_exception(error)))
    except OSError:
        return ""
    return file.name


def _silence(fd: int) -> None:
    """Python flushes stdout once more at exit, which would complain."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, fd)
    os.close(nowhere)
