"""Optimizers: what was asked for, else what the policy's configuration recommends."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
from lerobot_torch import TorchPolicy

from .config import OptimizerConfig, SchedulerConfig

_LR, _DECAY, _BETAS = 1e-4, 1e-2, (0.9, 0.999)


def settled(config: OptimizerConfig, policy: TorchPolicy[Any]) -> OptimizerConfig:
    """Every value filled in: as asked, else `optimizer_*` of the policy's configuration, else torch's default."""
    own = policy.config
    return replace(
        config,
        lr=_first(config.lr, getattr(own, "optimizer_lr", None), _LR),
        weight_decay=_first(config.weight_decay, getattr(own, "optimizer_weight_decay", None), _DECAY),
        betas=_first(config.betas, getattr(own, "optimizer_betas", None), _BETAS),
        grad_clip_norm=_first(config.grad_clip_norm, getattr(own, "optimizer_grad_clip_norm", None),
                              policy.grad_clip_norm),
    )  # fmt: skip


def settled_scheduler(config: SchedulerConfig, policy: TorchPolicy[Any]) -> SchedulerConfig:
    """As asked, else `scheduler_*` of the policy's configuration, else none."""
    if config.type is not None:
        return config
    own = policy.config
    if getattr(own, "scheduler_name", None):
        return replace(config, type="diffuser", name=own.scheduler_name, num_warmup_steps=own.scheduler_warmup_steps)
    if getattr(own, "scheduler_decay_steps", None):
        return replace(config, type="cosine_decay_with_warmup", num_warmup_steps=own.scheduler_warmup_steps,
                       num_decay_steps=own.scheduler_decay_steps, decay_lr=own.scheduler_decay_lr)  # fmt: skip
    return replace(config, type="none")


def _first(*values: Any) -> Any:
    return next(value for value in values if value is not None)


def make_optimizer(config: OptimizerConfig, policy: TorchPolicy[Any]) -> torch.optim.Optimizer:
    """From a settled configuration; the policy's groups may have rates of their own."""
    groups = [group for group in policy.param_groups() if group["params"]]
    assert config.lr is not None, "settled"
    assert config.weight_decay is not None, "settled"
    if config.type == "sgd":
        return torch.optim.SGD(groups, config.lr, config.momentum, weight_decay=config.weight_decay)
    cls = torch.optim.AdamW if config.type == "adamw" else torch.optim.Adam
    assert config.betas is not None, "settled"
    return cls(groups, config.lr, config.betas, config.eps, config.weight_decay)


def as_peer(config: OptimizerConfig) -> dict[str, Any]:
    """As `train_config.json` spells it."""
    common = {"type": config.type, "lr": config.lr, "weight_decay": config.weight_decay,
              "grad_clip_norm": config.grad_clip_norm}  # fmt: skip
    if config.type == "sgd":
        return common | {"momentum": config.momentum, "dampening": 0.0, "nesterov": False}
    return common | {"betas": list(config.betas or ()), "eps": config.eps}
