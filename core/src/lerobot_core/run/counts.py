"""What a run counts while it goes on, and how the summary reports it."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

INTERVENTIONS = ("range", "rate", "nan", "stale", "ramp")
SOURCES = ("policy", "human", "hold", "goto")


def percentile(values: Sequence[float], share: float) -> float | None:
    """Nearest-rank percentile, None of nothing."""
    if not values:
        return None
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def milliseconds(values: Sequence[float]) -> dict[str, float | None]:
    """{p50, p99, max} of seconds, in milliseconds."""
    figures = {"p50": percentile(values, 0.5), "p99": percentile(values, 0.99), "max": max(values, default=None)}
    return {name: None if value is None else round(1000 * value, 3) for name, value in figures.items()}


class Counts:
    """Ticks, lateness, rows by source and safety interventions; cheap enough for every tick."""

    def __init__(self) -> None:
        self.ticks = 0
        self.overruns = 0
        self.lateness = array("f")
        self.rows: Counter[str] = Counter()
        self.safety: Counter[str] = Counter()
        self.last_intervention = ""
        self.lost: Counter[str] = Counter()

    def tick(self, late: float) -> None:
        """One tick began `late` seconds after its deadline."""
        self.ticks += 1
        self.lateness.append(late)

    def filtered(self, interventions: Iterable[str]) -> None:
        """What the safety filter did: `"range:shoulder_pan.pos"`, …; a period counts once a kind."""
        kinds = set()
        for intervention in interventions:
            kinds.add(intervention.partition(":")[0])
            self.last_intervention = intervention
        self.safety.update(kinds)

    def report(self) -> dict[str, Any]:
        """The summary's ticks, overruns, lateness_ms, rows and safety."""
        return {
            "ticks": self.ticks,
            "overruns": self.overruns,
            "lateness_ms": milliseconds(self.lateness),
            "rows": {source: self.rows[source] for source in SOURCES},
            "safety": {kind: self.safety[kind] for kind in INTERVENTIONS},
        }
