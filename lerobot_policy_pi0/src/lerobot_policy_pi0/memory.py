"""Telling that memory ran out, and what helps."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from lerobot_core.errors import InferenceError

_SIGNS = ("out of memory", "can't allocate memory", "not enough memory")


@contextmanager
def enough_memory(doing: str, training: bool = False) -> Iterator[None]:
    """Explain a failed allocation.

    Raises:
        InferenceError: memory ran out.
    """
    try:
        yield
    except (torch.OutOfMemoryError, MemoryError, RuntimeError) as error:
        if not isinstance(error, torch.OutOfMemoryError | MemoryError) and not any(
            sign in str(error) for sign in _SIGNS
        ):
            raise
        smaller = "a smaller --batch-size, --policy.gradient-checkpointing, --policy.train-expert-only, or "
        raise InferenceError(
            f"not enough memory for pi0 while {doing}",
            str(error).partition("\n")[0],
            f"{smaller if training else ''}--policy.dtype bfloat16, or another --policy.device",
        ) from error
