"""What goes wrong while training, told so that it can be mended."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from lerobot_core.errors import ContractError, UserError

from .config import TrainConfig

_SHOWN = 8


def refuse_nan(value: float, batch: Mapping[str, Any], step: int, what: str = "the loss") -> None:
    """Raises ContractError naming the batch's rows unless `value` is a number."""
    if math.isfinite(value):
        return
    rows = [
        f"episode {e} frame {f}"
        for e, f in zip(_ints(batch, "episode_index"), _ints(batch, "frame_index"), strict=True)
    ]
    more = f" and {len(rows) - _SHOWN} more" if len(rows) > _SHOWN else ""
    bad = [key for key, each in batch.items() if _broken(each)]
    why = f"not a number in the dataset: {', '.join(bad)}" if bad else "the rate may be too high"
    raise ContractError(f"{what} is {value} at step {step}", f"{why}; the batch: {', '.join(rows[:_SHOWN])}{more}",
                        "lr dataset verify" if bad else "a lower --optimizer.lr, from the last checkpoint")  # fmt: skip


def _ints(batch: Mapping[str, Any], key: str) -> list[int]:
    return [int(each) for each in batch[key]] if key in batch else []


def _broken(value: Any) -> bool:
    return isinstance(value, torch.Tensor) and value.is_floating_point() and not bool(value.isfinite().all())


@contextmanager
def memory(config: TrainConfig) -> Iterator[None]:
    """Running out of memory becomes a UserError that says what to lower."""
    try:
        yield
    except (torch.OutOfMemoryError, MemoryError, RuntimeError) as error:
        if not _ran_out(error):
            raise
        half = max(config.batch_size // 2, 1)
        many = config.gradient_accumulation_steps * config.batch_size // half
        raise UserError(f"out of memory with batches of {config.batch_size}", str(error).split("\n")[0][:200],
                        f"--batch-size {half} --gradient-accumulation-steps {many} (the same step), "
                        "--mixed-precision bf16, or a smaller --dataset.resize") from error  # fmt: skip


def _ran_out(error: Exception) -> bool:
    # On a CPU torch says it in words only.
    said = str(error).lower()
    known = isinstance(error, torch.OutOfMemoryError | MemoryError)
    return known or any(words in said for words in ("out of memory", "not enough memory", "can't allocate memory"))
