"""What this distribution offers: `org/name` wherever a policy is named."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lerobot_core.hookspecs import hookimpl


@hookimpl
def resolve(kind: str, ref: str) -> Mapping[str, Any] | None:
    """A checkpoint on the Hub: fetched into the cache, then like any folder."""
    if kind != "policy":
        return None
    from .hub import fetch
    from .jsonfile import read_json
    from .settings import FILE

    folder = fetch(ref)
    return {"type": read_json(folder / FILE).get("type", ""), "path": str(folder)}
