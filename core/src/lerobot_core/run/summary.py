"""The summary: one JSON object a program can read, the same figures as lines for a person."""

from __future__ import annotations

from typing import Any

from .counts import Counts
from .loop import Ending
from .plan import Plan

SCHEMA = 1


def summarise(
    plan: Plan,
    ending: Ending,
    counts: Counts,
    *,
    duration_s: float,
    warmup_s: float,
    engine: dict[str, Any] | None,
    cameras: dict[str, Any],
    dataset: dict[str, Any] | None,
    success: dict[str, int] | None,
    exit: str,
    cpu_s: dict[str, float | None],
) -> dict[str, Any]:
    """The run verbs' JSON, keys in the order of docs/contracts.md."""
    info, counted = plan.info(), counts.report()
    return {
        "schema": SCHEMA,
        "verb": info["verb"],
        "outcome": ending.outcome,
        "reason": ending.reason,
        "strategy": info["strategy"],
        "robot": info["robot"],
        "policy": info["policy"],
        "inference": info["inference"],
        "task": info["task"],
        "fps": info["fps"],
        "duration_s": round(duration_s, 3),
        "warmup_s": round(warmup_s, 3),
        "ticks": counted["ticks"],
        "overruns": counted["overruns"],
        "lateness_ms": counted["lateness_ms"],
        "rows": counted["rows"],
        "engine": engine,
        "safety": counted["safety"],
        "cameras": cameras,
        "dataset": dataset,
        "success": success,
        "exit": exit,
        "cpu_s": cpu_s,
    }


def lines(summary: dict[str, Any]) -> list[str]:
    """What a person reads at the end; of a run that never began there is nothing to count."""
    if not summary["ticks"]:
        return [f"{summary['outcome']} before the first step: the robot was sent nothing"]
    late = summary["lateness_ms"]
    rows = ", ".join(f"{n} {source}" for source, n in summary["rows"].items() if n) or "none"
    text = [
        f"{summary['outcome']}: {summary['reason']} after {summary['duration_s']:.1f} s",
        f"  ticks {summary['ticks']} ({summary['overruns']} overruns), late p99 {late['p99']} ms, max {late['max']} ms; rows {rows}",
    ]
    changed = ", ".join(f"{n} {kind}" for kind, n in summary["safety"].items() if n)
    if changed:
        text.append(f"  the safety filter stepped in: {changed} (periods)")
    if summary["engine"]:
        engine = summary["engine"]
        text.append(
            f"  engine {engine['state']}: {engine.get('calls', 0)} calls, p50 {engine.get('latency_ms', {}).get('p50')} ms"
        )
    if summary["dataset"]:
        data = summary["dataset"]
        episodes = "1 episode" if data["episodes"] == 1 else f"{data['episodes']} episodes"
        text.append(f"  recorded {episodes}, {data['frames']} frames in {data['root']}")
    if summary["success"] and summary["success"]["attempts"]:
        text.append(f"  {summary['success']['successes']} of {summary['success']['attempts']} attempts succeeded")
    return text
