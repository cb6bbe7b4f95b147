"""The plugins' part of `lr doctor`: does each load, and what does its own `doctor` hook say."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from .probe import LIMIT_S, Answer, ask_each
from .types import Problem

if TYPE_CHECKING:
    from .doctor import Report
    from .metadata import Entry


def look(
    report: Report, entries: Sequence[Entry], done: Callable[[str], None] = lambda name: None, limit: float = LIMIT_S
) -> None:
    """Ask every plugin; `done` is told the distribution after each."""
    broken = 0
    for answer in ask_each(entries, "doctor", limit):
        done(answer.entries[0].distribution)
        broken += bool(answer.failures)
        report.problems += _problems(answer)
    report.facts["plugins"] = f"{len(entries)} names" + (f", {broken} distributions broken" if broken else ", all load")


def _problems(answer: Answer) -> Iterator[Problem]:
    first = answer.entries[0]
    where = f"{first.distribution} {first.version}"
    for failure in answer.failures:
        what, *more = failure.splitlines()
        yield Problem("error", where, what, "\n".join(line.strip() for line in more))
    for found in answer.results:
        yield _problem(found) or Problem("warning", where, f"its doctor hook gave {found!r:.80}, which is no Problem")


def _problem(found: Any) -> Problem | None:
    if not isinstance(found, dict) or found.get("level") not in ("error", "warning"):
        return None
    where, text, fix = (str(found.get(key, "")) for key in ("where", "text", "fix"))
    return Problem(found["level"], where, text, fix)
