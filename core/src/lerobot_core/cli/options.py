"""What every verb with a `RunConfig` does with its command line before it begins."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..config.resolve import Resolved
    from ..config.run import RunConfig
    from ..config.verb import Verb
    from ..registry import Registry


def read(verb: str | Verb, argv: Sequence[str], registry: Registry) -> Resolved[RunConfig] | None:
    """Decode it, print its notes, open the log; None when `--show-config` was all that was wanted.

    Raises:
        UserError: an option, a file or a plugin in it is wrong.
    """
    from .. import logs
    from ..config.resolve import resolve
    from ..config.run import VERBS

    row = VERBS[verb] if isinstance(verb, str) else verb
    resolved: Resolved[RunConfig] = resolve(row, argv, registry, os.environ)
    for note in resolved.notes:
        print(note, file=sys.stderr)
    if resolved.config.show_config:
        from ..config import show

        print(json.dumps(show.as_json(resolved)) if resolved.config.json else show.render(resolved))
        return None
    logs.setup(log_file=resolved.config.log_file)
    return resolved
