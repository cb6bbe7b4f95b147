"""Learning rates over time: factors of an optimizer's rate by step, under the names the peer has for them."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from lerobot_core.errors import ConfigError
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR

from .config import SchedulerConfig

Factor = Callable[[int], float]


def make_scheduler(config: SchedulerConfig, optimizer: Optimizer, steps: int) -> LambdaLR | None:
    """The schedule over `steps` steps; None: the rate stays.

    Raises:
        ConfigError: values that do not go together.
    """
    if config.type in (None, "none"):
        return None
    return LambdaLR(optimizer, factor(config, steps, float(optimizer.param_groups[0]["lr"])))


def factor(config: SchedulerConfig, steps: int, lr: float) -> Factor:
    """Step -> factor of the rate, which is `lr`."""
    makers: dict[str, Callable[[SchedulerConfig, int, float], Factor]] = {
        "constant_with_warmup": _constant,
        "cosine_annealing_with_warmup": _annealing,
        "cosine_decay_with_warmup": _decay,
        "diffuser": _diffuser,
        "vqbet": _vqbet,
    }
    return makers[config.type or ""](config, steps, lr)


def _rising(step: int, warmup: int) -> float:
    return step / max(1, warmup)


def _wave(share: float, cycles: float = 0.5) -> float:
    """From 1 down to 0 over half a wave."""
    return max(0.0, 0.5 * (1.0 + math.cos(math.pi * cycles * 2.0 * share)))


def _constant(config: SchedulerConfig, steps: int, lr: float) -> Factor:
    warmup = config.num_warmup_steps
    return lambda step: min(1.0, _rising(step, warmup)) if warmup else 1.0


def _annealing(config: SchedulerConfig, steps: int, lr: float, cycles: float = 0.5) -> Factor:
    warmup = config.num_warmup_steps

    def at(step: int) -> float:
        if step < warmup:
            return _rising(step, warmup)
        return _wave((step - warmup) / max(1, steps - warmup), cycles)

    return at


def _decay(config: SchedulerConfig, steps: int, lr: float) -> Factor:
    """Linear from 1/(warmup + 1), then half a wave from step 0 on down to `decay_lr`; squeezed into a shorter run."""
    end, warmup = config.num_decay_steps or steps, config.num_warmup_steps
    if steps < end:
        end, warmup = steps, int(warmup * steps / end)
    low = config.decay_lr / (config.peak_lr or lr)
    first = 1 / (warmup + 1)

    def at(step: int) -> float:
        if step < warmup:
            return first + (1 - first) * step / warmup
        return (1 - low) * _wave(min(step, end) / end) + low

    return at


def _diffuser(config: SchedulerConfig, steps: int, lr: float) -> Factor:
    if config.name == "cosine":
        return _annealing(config, steps, lr, config.num_cycles)
    if config.name == "constant":
        return lambda step: 1.0
    if config.name == "constant_with_warmup":
        return _constant(config, steps, lr)
    if config.name == "linear":
        return _linear(config, steps)
    raise ConfigError(f"--scheduler.name {config.name} is none we know", "",
                      "cosine, linear, constant, constant_with_warmup")  # fmt: skip


def _linear(config: SchedulerConfig, steps: int) -> Factor:
    warmup = config.num_warmup_steps

    def at(step: int) -> float:
        return _rising(step, warmup) if step < warmup else max(0.0, (steps - step) / max(1, steps - warmup))

    return at


def _vqbet(config: SchedulerConfig, steps: int, lr: float) -> Factor:
    warmup, before = config.num_warmup_steps, config.num_vqvae_training_steps

    def at(step: int) -> float:
        step -= before
        if step < warmup:
            return 1.0 if step < 0 else _rising(step, warmup)
        return _wave((step - warmup) / max(1, steps - warmup), config.num_cycles)

    return at


def as_peer(config: SchedulerConfig, lr: float, steps: int) -> dict[str, Any] | None:
    """As `train_config.json` spells it."""
    fields: dict[str, dict[str, Any]] = {
        "constant_with_warmup": {"num_warmup_steps": config.num_warmup_steps},
        "cosine_annealing_with_warmup": {"num_warmup_steps": config.num_warmup_steps},
        "cosine_decay_with_warmup": {
            "num_warmup_steps": config.num_warmup_steps, "num_decay_steps": config.num_decay_steps or steps,
            "peak_lr": config.peak_lr or lr, "decay_lr": config.decay_lr,
        },
        "diffuser": {"num_warmup_steps": config.num_warmup_steps, "name": config.name},
        "vqbet": {
            "num_warmup_steps": config.num_warmup_steps,
            "num_vqvae_training_steps": config.num_vqvae_training_steps, "num_cycles": config.num_cycles,
        },
    }  # fmt: skip
    return None if config.type in (None, "none") else {"type": config.type, **fields[config.type or ""]}
