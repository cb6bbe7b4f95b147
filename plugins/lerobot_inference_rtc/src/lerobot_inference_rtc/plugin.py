"""What this distribution offers: the inference engine `rtc`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lerobot_core.hookspecs import hookimpl
from lerobot_core.specs import InferenceSpec, Parts

from .config import RtcConfig

if TYPE_CHECKING:
    from .engine import RtcEngine


def _build(config: RtcConfig, parts: Parts) -> RtcEngine:
    from .engine import RtcEngine

    return RtcEngine(config)


@hookimpl
def lerobot_inference_engines() -> InferenceSpec:
    """rtc."""
    return InferenceSpec(
        name="rtc",
        summary="chunked, and each chunk continues the one before it (real-time chunking)",
        config=RtcConfig,
        build=_build,
    )
