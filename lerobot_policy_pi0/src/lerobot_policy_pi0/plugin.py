"""What this distribution offers: the policies `pi0` and `pi05`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lerobot_core.hookspecs import hookimpl
from lerobot_core.specs import Parts, PolicySpec

from .config import PI0Config, PI05Config

if TYPE_CHECKING:
    from lerobot_torch import NumpyPolicy


def _build(config: PI0Config, parts: Parts) -> NumpyPolicy:
    from lerobot_torch import open_policy

    return open_policy(config)


@hookimpl
def lerobot_policies() -> list[PolicySpec]:
    """pi0 and pi05."""
    return [
        PolicySpec(
            name="pi0",
            summary="a vision-language-action model with flow matching, from a checkpoint",
            config=PI0Config,
            build=_build,
            torch="lerobot_policy_pi0.policy:PI0Policy",
        ),
        PolicySpec(
            name="pi05",
            summary="pi0.5: pi0 with the state in its prompt and norms that know the time",
            config=PI05Config,
            build=_build,
            torch="lerobot_policy_pi0.pi05:PI05Policy",
        ),
    ]
