"""Core's inference engines as plugins."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..hookspecs import hookimpl
from ..specs import InferenceSpec, Parts
from .config import ChunkedConfig, SyncConfig

if TYPE_CHECKING:
    from .chunked import ChunkedEngine
    from .sync import SyncEngine


def _sync(config: SyncConfig, parts: Parts) -> SyncEngine:
    from .sync import SyncEngine

    return SyncEngine()


def _chunked(config: ChunkedConfig, parts: Parts) -> ChunkedEngine:
    from .chunked import ChunkedEngine

    return ChunkedEngine(config.queue_threshold)


@hookimpl
def lerobot_inference_engines() -> list[InferenceSpec]:
    """sync and chunked."""
    return [
        InferenceSpec(
            name="sync",
            summary="the policy in the loop's own thread; simple, pauses at each chunk",
            config=SyncConfig,
            build=_sync,
        ),
        InferenceSpec(
            name="chunked",
            summary="the policy on a worker thread; the arm moves on",
            config=ChunkedConfig,
            build=_chunked,
        ),
    ]
