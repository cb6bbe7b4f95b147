"""`lr rollout|record|teleoperate|replay`: from the command line to the exit code."""

from __future__ import annotations

import dataclasses
import json
import logging
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from ..config.resolve import Resolved, resolve_run
from ..errors import UserError
from ..registry import Registry, default_registry

if TYPE_CHECKING:
    from ..config.run import RunConfig
    from .session import Session

log = logging.getLogger("lerobot.run")


def run_verb(verb: str, argv: Sequence[str], registry: Registry | None = None) -> int:
    """Run one verb and return the exit code: 0 done or stopped, 1 failed, 2 usage, 130 two signals.

    Raises:
        UserError: the command line or a configuration is wrong; nothing was opened.
    """
    registry = registry or default_registry()
    resolved = resolve_run(verb, argv, registry, os.environ)
    for note in resolved.notes:
        print(note, file=sys.stderr)
    if resolved.config.show_config:
        from ..config import show

        print(json.dumps(show.as_json(resolved)) if resolved.config.json else show.render(resolved))
        return 0
    return _run(verb, resolved, registry)


def _run(verb: str, resolved: Resolved[RunConfig], registry: Registry) -> int:
    finished = perform(verb, resolved, registry)
    report(finished.summary, finished.session.ending.error, resolved.config.json)
    return finished.exit_code


class Finished(NamedTuple):
    """A run that is over: its session, its summary, and 0, 1, 2 or 130 for the shell."""

    session: Session
    summary: dict[str, Any]
    exit_code: int


def perform(verb: str, resolved: Resolved[Any], registry: Registry) -> Finished:
    """Run what was resolved on the real clock, terminal and signals, and leave `run.json`; nothing is printed at the end.

    For verbs of other distributions whose configuration is a `RunConfig`, which report in their own way.
    """
    from ..clock import RealClock
    from ..logs import setup
    from ..terminal import current
    from .plan import Plan
    from .session import Session
    from .signals import Signals

    signals = Signals()
    with current() as terminal:
        setup(log_file=resolved.config.log_file)
        config = with_operator(resolved.config, registry, terminal.person)
        session = Session(Plan(verb, config, resolved.origins, registry), RealClock(), terminal, signals)
        signals.install()
        try:
            summary = session.run()
        finally:
            signals.restore()
    _write_record(session, resolved, summary)
    return Finished(session, summary, exit_code(session, signals.exit_code))


def with_operator(config: RunConfig, registry: Registry, interactive: bool) -> RunConfig:
    """The terminal operator listens by itself when a person is there and nobody else was named.

    With `--interactive` it listens beside whoever was named, because lines are typed there.

    Args:
        interactive: a person is there.
    """
    alone = not config.operator and (interactive if config.interactive is None else config.interactive)
    beside = bool(config.interactive) and interactive
    if not (alone or beside) or any(chosen.name == "terminal" for chosen in config.operator.values()):
        return config
    from ..config.bases import Chosen

    spec = registry.spec("operator", "terminal")
    return dataclasses.replace(
        config,
        operator={**config.operator, "terminal": Chosen("operator", "terminal", spec, spec.config(), "terminal")},
    )


def exit_code(session: Session, signalled: int | None) -> int:
    """0 done or stopped, the error's own code when it failed, 130 after two signals."""
    if signalled is not None:
        return signalled
    if session.ending.outcome != "failed":
        return 0
    error = session.ending.error
    return error.exit_code if isinstance(error, UserError) else 1


def report(summary: dict[str, Any], error: BaseException | None, as_json: bool) -> None:
    """The summary as JSON on the last line of stdout, or as lines for a person; the error on stderr."""
    from .summary import lines

    if error is not None:
        text = str(error) if isinstance(error, UserError) else f"{type(error).__name__}: {error}"
        print(f"error: {text}", file=sys.stderr)
    if as_json:
        print(json.dumps(summary), flush=True)
    else:
        print("\n".join(lines(summary)), flush=True)


def _write_record(session: Session, resolved: Resolved[RunConfig], summary: dict[str, Any]) -> None:
    from . import runfile

    try:
        path = runfile.write(session.plan, resolved, summary, session.began, session.calibrations)
    except OSError as error:
        log.warning("run.json could not be written: %s", error)
    else:
        log.debug("run record: %s", path)
