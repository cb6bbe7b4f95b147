"""What this distribution offers: the policy `demo`, which is a checkpoint of `act`."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lerobot_core.hookspecs import hookimpl
from lerobot_core.specs import Parts, PolicySpec
from lerobot_policy_act.config import ACTConfig

if TYPE_CHECKING:
    from lerobot_torch import NumpyPolicy

NAME = "demo"
CHECKPOINT = Path(__file__).parent / "checkpoint"
"""As `lr train` wrote it."""


@hookimpl
def resolve(kind: str, ref: str) -> Mapping[str, Any] | None:
    """`--policy demo` is the packaged folder, run, evaluated and trained further like any other."""
    return {"type": "act", "path": str(CHECKPOINT)} if (kind, ref) == ("policy", NAME) else None


def _build(config: ACTConfig, parts: Parts) -> NumpyPolicy:
    from lerobot_torch import open_policy

    return open_policy(dataclasses.replace(config, path=config.path or str(CHECKPOINT)))


@hookimpl
def lerobot_policies() -> PolicySpec:
    """demo, for listings and for the conformance kit; a run asks `resolve` first."""
    return PolicySpec(
        name=NAME, summary="puts the virtual rig's cube into the bin: a trained act", config=ACTConfig, build=_build
    )
