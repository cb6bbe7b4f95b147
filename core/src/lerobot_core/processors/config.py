"""Options of core's processors."""

from __future__ import annotations

from dataclasses import dataclass

from ..config.fields import option


@dataclass(frozen=True, kw_only=True)
class BlankConfig:
    """What is hidden, and behind which colour."""

    cameras: tuple[str, ...] = option((), help="cameras to blank; default: all of them")
    value: int = option(0, help="what every pixel becomes, 0 black to 255 white", low=0, high=255)
