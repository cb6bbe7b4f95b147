"""accelerate, the distributed engine: one process with nothing to start, many under `accelerate launch` or torchrun."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from accelerate import Accelerator, DistributedDataParallelKwargs
from accelerate.state import AcceleratorState
from lerobot_core.errors import ConfigError, PluginError
from lerobot_torch import TorchPolicyConfig
from lerobot_torch.memory import keep_freed_memory

from .config import TrainConfig


@contextmanager
def engine(config: TrainConfig) -> Iterator[Accelerator]:
    """The accelerator of this run; its process group ends with it."""
    policy = config.policy
    assert policy is not None, "the verb needs one"
    if not isinstance(policy.config, TorchPolicyConfig):
        raise PluginError(f"policy {policy.name!r} is no network", "its options are none of a network", "--policy act")
    wanted = policy.config.device
    precision = config.mixed_precision or ("bf16" if policy.config.use_amp else "no")
    keep_freed_memory()
    accelerator = _accelerator(config, cpu=wanted is not None and str(wanted).startswith("cpu"), precision=precision)
    try:
        yield accelerator
    finally:
        accelerator.end_training()
        # The next run of this process may ask for another precision.
        AcceleratorState._reset_state(reset_partial_state=True)


def leave_at_once(code: int) -> None:
    """End this process here if it is one of several; otherwise nothing.

    A thread of gloo's lets the tensors of the last exchange go when it comes to it. If the interpreter is being taken
    down by then, that ends in an abort, and a run that had saved everything counts as failed.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _accelerator(config: TrainConfig, cpu: bool, precision: str) -> Accelerator:
    try:
        return Accelerator(
            cpu=cpu,
            mixed_precision=precision,
            gradient_accumulation_steps=config.gradient_accumulation_steps,
            step_scheduler_with_optimizer=False,
            # A policy may leave a branch out, which DDP must be told.
            kwargs_handlers=[DistributedDataParallelKwargs(find_unused_parameters=True)],
        )
    except ValueError as error:
        raise ConfigError(f"--mixed-precision {precision} cannot be had here", str(error), "bf16, or no") from error


def mean_over_processes(accelerator: Accelerator, values: dict[str, float]) -> dict[str, float]:
    """Each value's mean over the processes."""
    if accelerator.num_processes == 1 or not values:
        return values
    import torch

    stacked = torch.tensor(list(values.values()), dtype=torch.float32, device=accelerator.device)
    reduced: Any = accelerator.reduce(stacked, "mean")
    return dict(zip(values, reduced.tolist(), strict=True))
