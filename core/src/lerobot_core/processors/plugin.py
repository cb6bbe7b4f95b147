"""Core's processors, offered through the same entry points as everybody's."""

from __future__ import annotations

from typing import Any

from ..hookspecs import hookimpl
from ..specs import Parts, ProcessorSpec
from .config import BlankConfig


def _blank(config: BlankConfig, parts: Parts) -> Any:
    from .blank import BlankProcessor

    return BlankProcessor(config)


@hookimpl
def lerobot_processors() -> ProcessorSpec:
    """blank."""
    return ProcessorSpec(
        name="blank", summary="blanks every picture: a control run without eyes", config=BlankConfig, build=_blank
    )
