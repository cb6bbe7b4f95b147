"""What `lr` itself answers, asked in this process."""

from __future__ import annotations

import contextlib
import io
import logging
from functools import cache

from lerobot_core.cli.main import main

log = logging.getLogger("mkdocs.hooks.repository")
"""With --strict a warning fails the build."""


class NoAnswer(Exception):
    """`lr` refused."""


@cache
def lr(*words: str) -> str:
    """The standard output of `lr WORDS…`.

    Raises:
        NoAnswer: it did not end with 0; holds what it said.
    """
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main(words)
    if code:
        raise NoAnswer(f"`lr {' '.join(words)}` ended with {code}: {err.getvalue().strip()}")
    return out.getvalue().rstrip() + "\n"
