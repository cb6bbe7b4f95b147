"""Who is served next. It knows sessions and nothing of how messages travel."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from .sessions import Session


class Scheduler(Protocol):
    """Chooses among sessions that have something waiting."""

    def select(self, ready: Sequence[Session]) -> list[Session]:
        """Whose requests to compute now, together when they are several; `ready` is not empty."""


class RoundRobin:
    """One at a time, the one that has waited for its turn longest: each gets one answer before any gets two."""

    def __init__(self) -> None:
        self._turn = 0

    def select(self, ready: Sequence[Session]) -> list[Session]:
        """The one served longest ago."""
        return self._serve([min(ready, key=_turn)])

    def _serve(self, chosen: list[Session]) -> list[Session]:
        self._turn += 1
        for session in chosen:
            session.served = self._turn
        return chosen


class MicroBatch(RoundRobin):
    """As many as fit together, the longest waiting first.

    Together means one call with one delay and one horizon for all. Policies take batches unguided, which is the case
    where these agree by themselves; a request with a leftover to continue is computed alone.

    Args:
        largest: sessions in one batch.
    """

    def __init__(self, largest: int) -> None:
        super().__init__()
        self.largest = largest

    def select(self, ready: Sequence[Session]) -> list[Session]:
        """The one served longest ago, and others that ask alike."""
        order = sorted(ready, key=_turn)
        if _guided(order[0]):
            return self._serve(order[:1])
        names = _names(order[0])
        return self._serve([each for each in order if not _guided(each) and _names(each) == names][: self.largest])


def _turn(session: Session) -> int:
    return session.served


def _guided(session: Session) -> bool:
    job = session.mailbox.waiting
    return job is not None and job.guide is not None


def _names(session: Session) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """A policy without names of its own may have taken another order from another robot."""
    return tuple(session.policy.needs), tuple(session.policy.gives)
