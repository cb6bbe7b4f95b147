"""A dataset, or one episode, as lines of text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from .reader import LerobotReader

_BARS = "▁▂▃▄▅▆▇█"
_PLAIN = "_.-=+*%#"
_MOST = 30


def spark(values: NDArray[np.floating], width: int, unicode: bool = True) -> str:
    """A line of `width` characters, each the mean of its share of the values."""
    bars = _BARS if unicode else _PLAIN
    finite = values[np.isfinite(values)].astype(np.float64)
    if len(finite) == 0:
        return ""
    parts = [part.mean() for part in np.array_split(finite, min(width, len(finite)))]
    low, high = float(finite.min()), float(finite.max())
    scale = (len(bars) - 1) / (high - low) if high > low else 0.0
    return "".join(bars[round((part - low) * scale)] for part in parts)


def dataset_lines(reader: LerobotReader, width: int, unicode: bool = True) -> Iterator[str]:
    """Outcomes, tasks and episodes at a glance."""
    lengths = reader.episodes.lengths
    seconds = lengths / reader.fps
    yield f"{len(lengths)} episodes, {reader.episodes.frames} rows at {reader.info.fps} a second, {seconds.sum() / 60:.1f} min"
    if len(lengths) == 0:
        return
    yield f"length  {spark(lengths.astype(np.float64), width - 24, unicode)}  {seconds.min():.1f} to {seconds.max():.1f} s"
    outcomes = [episode.outcome for episode in reader.episodes]
    counted = {name: outcomes.count(name) for name in ("success", "failure") if name in outcomes}
    if counted:
        yield "labels  " + ", ".join(f"{count} {name}" for name, count in counted.items())
    yield ""
    yield from _table([("", "rows", "s", "label", "task"), *_episodes(reader)], width)
    if len(lengths) > _MOST:
        yield f"… {len(lengths) - _MOST} more"


def _episodes(reader: LerobotReader) -> Iterator[tuple[str, ...]]:
    for episode in reader.episodes[:_MOST]:
        seconds = f"{episode.length / reader.fps:.1f}"
        label = episode.outcome if episode.outcome != "none" else ""
        yield str(episode.index), str(episode.length), seconds, label, "; ".join(episode.tasks)


def episode_lines(reader: LerobotReader, episode: int, width: int, unicode: bool = True) -> Iterator[str]:
    """One episode: every joint over time."""
    found = reader.episodes[episode]
    label = f", {found.outcome}" if found.outcome != "none" else ""
    yield f"episode {episode}: {found.length} rows, {found.length / reader.fps:.1f} s{label}"
    yield f"task: {'; '.join(found.tasks)}"
    for what, (names, values) in {"state": reader.states(episode), "action": reader.actions(episode)}.items():
        if names:
            yield ""
            yield from _table([(what, "from", "to", ""), *_joints(names, values, width, unicode)], width)


def _joints(names: Sequence[str], values: NDArray[np.float32], width: int, unicode: bool) -> Iterator[tuple[str, ...]]:
    room = max(10, min(60, width - max(map(len, names)) - 24))
    for column, name in enumerate(names):
        series = values[:, column].astype(np.float64)
        yield name, f"{np.nanmin(series):.4g}", f"{np.nanmax(series):.4g}", spark(series, room, unicode)


def _table(rows: Sequence[tuple[str, ...]], width: int) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = [cell.ljust(size) for cell, size in zip(row, widths, strict=True)]
        yield "  ".join(cells).rstrip()[:width]
