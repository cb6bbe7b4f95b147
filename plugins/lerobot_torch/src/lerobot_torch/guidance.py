"""Continuing the chunk that is being executed (arXiv 2506.07339): what families with guidance share.

Times run from 1 (noise) to 0 (actions), as flow-matching policies count them.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from lerobot_core.guidance import prefix_weights
from lerobot_core.types import Guide
from torch import Tensor


class Prefix(NamedTuple):
    """What a chunk has to continue, in the network's own numbers; every tensor is on its device.

    Attributes:
        actions: (B, T, A) normalised; steps beyond what is left have weight 0, and what stands there is never looked at.
        weights: (T,) in 0..1, how strongly each step is held.
        frozen: (T,) bool, steps that will be executed before the chunk arrives.
        max_weight: the strongest pull in one denoising step.
    """

    actions: Tensor
    weights: Tensor
    frozen: Tensor
    max_weight: float


def prefix_of(guide: Guide, actions: Tensor, length: int) -> Prefix:
    """A guide as a network takes it.

    Args:
        guide: how strongly, and for how long.
        actions: its actions (B, k, A), normalised.
        length: steps of a chunk (T).
    """
    kept = actions[:, :length]
    padded = kept.new_zeros(kept.shape[0], length, kept.shape[-1])
    padded[:, : kept.shape[1]] = kept
    weights = torch.from_numpy(prefix_weights(guide, length)).to(actions.device)
    frozen = torch.arange(length, device=actions.device) < min(guide.delay, kept.shape[1])
    return Prefix(padded, weights, frozen, guide.max_weight)


def pull(time: float, limit: float) -> float:
    """How strongly a denoising step at `time` is corrected, at most `limit`: (t^2 + (1-t)^2) / (t (1-t))."""
    both = time * (1.0 - time)
    return min((time**2 + (1.0 - time) ** 2) / both, limit) if both > 0.0 else limit


def guided(velocity: Tensor, noisy: Tensor, time: float, prefix: Prefix) -> Tensor:
    """The velocity of one denoising step, bent so that the step heads for the prefix where that has weight.

    The actions this step heads for are noisy - time * velocity; what they lack of the prefix is the correction. It is
    taken as it is, without the network's Jacobian, which costs a backward pass and which checkpoints are not used with.

    Args:
        velocity, noisy: (B, T, D) with D >= A; columns beyond A are padding, whose actions are 0.
        time: of the step, 1 = noise.
        prefix: what to head for.
    """
    wanted = torch.nn.functional.pad(prefix.actions, (0, noisy.shape[-1] - prefix.actions.shape[-1]))
    missing = (wanted - (noisy - time * velocity)) * prefix.weights[:, None]
    return velocity - pull(time, prefix.max_weight) * missing
