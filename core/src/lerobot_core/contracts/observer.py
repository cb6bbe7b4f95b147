"""Observer: watches rows on a thread of its own, latest-only; one that fails is detached and reported."""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

from ..types import Step


@runtime_checkable
class Observer(Protocol):
    """Never slows the loop: it misses rows instead."""

    def start(self, info: dict[str, Any]) -> None:
        """The run begins; `info` is the plan's summary (robot, policy, fps, task)."""

    def step(self, step: Step) -> None:
        """The newest row."""

    def stop(self) -> None:
        """The run is over. Idempotent."""


@runtime_checkable
class Noticing(Protocol):
    """An observer that also wants what the person at the arm is told (`run.notify`), to say it aloud or to show it."""

    def notice(self, text: str) -> None:
        """One message, on the observers' thread; none is left out."""
