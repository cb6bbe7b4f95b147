"""The live view: a few cells about the run, wrapped to whatever width there is; plain lines when piped."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from ..types import Step
from .counts import percentile
from .interactive import Interactive
from .keys import shown

if TYPE_CHECKING:
    from ..terminal import Terminal
    from ..terminal_region import Region
    from .session import Session

EVERY_S = 0.2
PLAIN_EVERY_S = 10.0
_RECENT = 300
"""Ticks that the shown lateness looks back on: ten seconds at 30 Hz."""


class LiveView:
    """An observer core adds by itself: it shows the newest row and what the loop counts.

    Args:
        terminal: where to show it.
        session: what to show.
    """

    def __init__(self, terminal: Terminal, session: Session) -> None:
        self._terminal, self._session = terminal, session
        self._region: Region | None = None
        self._shown = float("-inf")

    def start(self, info: dict[str, Any]) -> None:
        """Open the region."""
        parts = [info["verb"], info["strategy"] if info["strategy"] != info["verb"] else "", info["robot"]]
        if info["policy"]:
            parts.append(f"{info['policy']} ({info['inference']})")
        self._title = " ".join(part for part in parts if part)
        self._region = self._terminal.view("run", PLAIN_EVERY_S)

    def step(self, step: Step) -> None:
        """Redraw, a few times a second."""
        now = self._session.clock.now()
        if self._region is not None and now - self._shown >= EVERY_S:
            self._shown = now
            width = self._terminal.size[0] if self._terminal.live else 200
            self._region.update(wrap(self.cells(step), width))

    def stop(self) -> None:
        """Close the region."""
        if self._region is not None:
            self._region.close()
            self._region = None

    def cells(self, step: Step) -> list[str]:
        """What there is to say, most important first."""
        session, loop = self._session, self._session.loop
        if loop is None:
            return [self._title]
        counts = loop.counts
        recent = counts.lateness[-_RECENT:]
        elapsed = session.clock.now() - (loop.first_sent or session.clock.now())
        cells = [
            self._title,
            f"{step.source}",
            _clock(elapsed) + (f" of {_clock(loop.duration)}" if loop.duration else ""),
            f"task {step.task!r}" if step.task else "",
            f"{1 / loop.period:g} Hz, late p50 {_ms(recent, 0.5)} p99 {_ms(recent, 0.99)}",
            f"{counts.overruns} overruns" if counts.overruns else "",
            *self._engine(),
            *self._data(),
            *self._cameras(),
            f"filter {counts.last_intervention}" if counts.last_intervention else "",
            *self._session_state(),
            self._keys(),
        ]
        return [cell for cell in cells if cell]

    def _session_state(self) -> Iterable[str]:
        strategy = self._session.parts.strategy
        if isinstance(strategy, Interactive):
            yield f"{strategy.state}, / types start, stop, reset, quit or a task"

    def _keys(self) -> str:
        order = shown(self._session.plan)
        bound = [pair for operator in self._session.parts.operators.values() for pair in operator.bindings().items()]
        bound = sorted((pair for pair in bound if pair[1] in order), key=lambda pair: order.index(pair[1]))
        return "keys: " + ", ".join(f"{key} {event}" for key, event in bound) if bound else ""

    def _engine(self) -> Iterable[str]:
        engine = self._session.parts.inference
        if engine is not None and self._session.loop is not None:
            latency = engine.stats().get("latency_ms", {}).get("p50")
            yield f"queue {self._session.loop.rig.queue.depth()}"
            yield f"engine {engine.state}" + (f" {latency:.0f} ms" if latency is not None else "")

    def _data(self) -> Iterable[str]:
        storage = self._session.parts.storage
        if storage is not None:
            stats = storage.stats()
            yield f"episode {stats['episodes']}, {stats['frames']} frames saved"

    def _cameras(self) -> Iterable[str]:
        for name, row in self._session.camera_report().items():
            drops = f" {row['stale']} stale" if row["stale"] else ""
            yield f"{name} {row['fps'] or 0:.0f} fps{drops}"


def wrap(cells: Iterable[str], width: int) -> list[str]:
    """Cells joined by two spaces, a new line where the next one would not fit; a cell that is too long is cut."""
    lines: list[str] = []
    for cell in cells:
        cell = cell if len(cell) < width else cell[: width - 2] + "…"
        if lines and len(lines[-1]) + 2 + len(cell) < width:
            lines[-1] += "  " + cell
        else:
            lines.append(cell)
    return lines


def _clock(seconds: float) -> str:
    return f"{int(seconds // 60)}:{seconds % 60:04.1f}"


def _ms(values: Any, share: float) -> str:
    value = percentile(values, share)
    return "-" if value is None else f"{1000 * value:.1f} ms"
