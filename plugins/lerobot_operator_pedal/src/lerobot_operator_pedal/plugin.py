"""What this distribution offers: the operator `pedal`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lerobot_core.hookspecs import hookimpl
from lerobot_core.specs import OperatorSpec, Parts
from lerobot_core.types import Problem

from .config import PedalConfig

if TYPE_CHECKING:
    from lerobot_core.run.plan import Plan

    from .pedal import PedalOperator


def _build(config: PedalConfig, parts: Parts) -> PedalOperator:
    from .pedal import PedalOperator

    return PedalOperator(config, parts)


@hookimpl
def lerobot_operators() -> OperatorSpec:
    """pedal."""
    return OperatorSpec(
        name="pedal",
        summary="foot switches and other buttons of Linux's input devices",
        config=PedalConfig,
        build=_build,
        requires=("Linux, and permission to read /dev/input",),
    )


@hookimpl
def check(plan: Plan) -> list[Problem]:
    """The device of each pedal, before the arm is connected and the policy warmed up."""
    from .devices import problem_with

    pedals = {name: each.config for name, each in plan.config.operator.items() if isinstance(each.config, PedalConfig)}
    found = ((name, problem_with(config.device)) for name, config in pedals.items())
    return [Problem("error", f"operator.{name}.device", *problem) for name, problem in found if problem is not None]


@hookimpl
def find() -> list[dict[str, str]]:
    """Every input device with keys."""
    from .devices import inputs

    return [
        {"kind": "operator", "id": each.best, "name": each.name, "detail": "" if each.readable else "not readable"}
        for each in inputs()
        if each.has_keys
    ]


@hookimpl
def doctor() -> list[Problem]:
    """Input devices that this user may not read."""
    from .devices import PERMISSION, inputs

    closed = [each.path for each in inputs() if each.has_keys and not each.readable]
    text = f"may not be read: {', '.join(closed)}"
    return [Problem("warning", "operator pedal", text, PERMISSION)] if closed else []
