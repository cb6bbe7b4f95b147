"""The built-in operators."""

from __future__ import annotations

from typing import Any

from ..hookspecs import hookimpl
from ..specs import OperatorSpec, Parts
from .config import ScriptedOperatorConfig, TerminalOperatorConfig


def _terminal(config: TerminalOperatorConfig, parts: Parts) -> Any:
    from .terminal import TerminalOperator

    return TerminalOperator(config, parts)


def _scripted(config: ScriptedOperatorConfig, parts: Parts) -> Any:
    from .scripted import ScriptedOperator

    return ScriptedOperator(config.script, parts.clock)


@hookimpl
def lerobot_operators() -> list[OperatorSpec]:
    """terminal, scripted."""
    return [
        OperatorSpec(name="terminal", summary="keys of the terminal", config=TerminalOperatorConfig, build=_terminal),
        OperatorSpec(name="scripted", summary="events at fixed times", config=ScriptedOperatorConfig, build=_scripted),
    ]
