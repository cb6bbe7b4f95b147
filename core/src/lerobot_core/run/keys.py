"""The strategy's keys reach the operators, and no key that this run needs is lost on the way."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..contracts.operator import EVENTS, Operator
from ..types import Problem
from .plan import Plan

ALWAYS = ("stop", "stop_now")
"""What the run itself acts on."""


def wanted(config: Any) -> dict[str, str]:
    """The keys a strategy's options ask for, {event: key}: what its `bindings()` says, else its `keys`."""
    bindings = getattr(config, "bindings", None)
    found: Mapping[str, str] | None = bindings() if callable(bindings) else getattr(config, "keys", None)
    return dict(found or {})


def shown(plan: Plan) -> tuple[str, ...]:
    """The events whose keys belong on screen, the strategy's own first; all when it does not say which it acts on."""
    events = plan.strategy.spec.events
    return (*events, *ALWAYS) if events else EVENTS


def rebind(plan: Plan, operators: Mapping[str, Operator]) -> list[Problem]:
    """Hand the strategy's keys to every operator.

    Returns:
        A problem for each event of this run that had a key and has none any more, because another took it.
    """
    changes = wanted(plan.strategy.config)
    problems: list[Problem] = []
    for name, operator in operators.items():
        before = operator.bindings()
        if changes:
            operator.rebind(changes)
        after = operator.bindings()
        lost = set(before.values()) - set(after.values())
        problems += [_lost(name, event, before, after) for event in shown(plan) if event in lost]
    return problems


def _lost(operator: str, event: str, before: Mapping[str, str], after: Mapping[str, str]) -> Problem:
    key = next(key for key, meant in before.items() if meant == event)
    text = f"key {key!r} means both {event} and {after.get(key, 'something else')}"
    return Problem("error", f"operator.{operator}", text, f"--strategy.keys '{{{event}: KEY}}' with another key")
