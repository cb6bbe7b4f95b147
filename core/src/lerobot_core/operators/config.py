"""Options of the built-in operators."""

from __future__ import annotations

from dataclasses import dataclass

from ..config.fields import option


@dataclass(frozen=True, kw_only=True)
class TerminalOperatorConfig:
    """Keys of the terminal."""

    keys: dict[str, str] | None = option(None, help="other keys, {event: key}, e.g. {pause: p}")


@dataclass(frozen=True, kw_only=True)
class ScriptedOperatorConfig:
    """Events at fixed times."""

    script: str = option(
        help="'2.0 takeover; 6.0 task pick the cube; 9.0 stop', seconds since the first action", primary=True
    )
