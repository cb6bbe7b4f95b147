"""Gemma (arXiv 2403.08295), several of them side by side: each token has its own weights, and all share one attention."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from .sizes import Gemma

EPS = 1e-6
THETA = 10_000.0
MASKED = -2.3819763e38
"""Added to what must not be seen; finite, so that a token that may see nothing gives no NaN."""


class RMSNorm(nn.Module):
    """x / rms(x) * (1 + weight), in float32 whatever the precision around it."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(width))

    def forward(self, x: Tensor, when: Tensor | None = None) -> tuple[Tensor, Tensor | None]:
        """The same shape and precision, and nothing to gate with; `when` makes no difference."""
        return (_normed(x) * (1.0 + self.weight.float())).type_as(x), None


class AdaptiveRMSNorm(nn.Module):
    """x / rms(x) * (1 + scale) + shift, scale, shift and a gate being linear in what it is told (arXiv 2212.09748)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.dense = nn.Linear(width, 3 * width)

    def forward(self, x: Tensor, when: Tensor | None = None) -> tuple[Tensor, Tensor | None]:
        """Tokens (B, S, W), and the gate of what is computed of them, (B, 1, W) or (B, S, W) as `when` is."""
        scale, shift, gate = self.dense(when).chunk(3, dim=-1)
        return (_normed(x) * (1.0 + scale.float()) + shift.float()).type_as(x), gate.type_as(x)


def _normed(x: Tensor) -> Tensor:
    wide = x.float()
    return wide * torch.rsqrt(wide.square().mean(-1, keepdim=True) + EPS)


def _added(x: Tensor, more: Tensor, gate: Tensor | None) -> Tensor:
    return x + (more if gate is None else more * gate)


class _Attention(nn.Module):
    def __init__(self, size: Gemma) -> None:
        super().__init__()
        self.size = size
        inner, shared = size.heads * size.head_dim, size.kv_heads * size.head_dim
        self.q_proj = nn.Linear(size.width, inner, bias=False)
        self.k_proj = nn.Linear(size.width, shared, bias=False)
        self.v_proj = nn.Linear(size.width, shared, bias=False)
        self.o_proj = nn.Linear(inner, size.width, bias=False)

    def project(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Queries (B, H, S, D), keys and values (B, 1, S, D)."""
        q, k, v = (
            each(x).unflatten(-1, (-1, self.size.head_dim)).transpose(1, 2)
            for each in (self.q_proj, self.k_proj, self.v_proj)
        )
        return q, k, v


class _Mlp(nn.Module):
    def __init__(self, size: Gemma) -> None:
        super().__init__()
        self.gate_proj, self.up_proj = (nn.Linear(size.width, size.mlp, bias=False) for _ in range(2))
        self.down_proj = nn.Linear(size.mlp, size.width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.down_proj(F.gelu(self.gate_proj(x), approximate="tanh") * self.up_proj(x))
        return out


class Projected(NamedTuple):
    """What a layer makes of its tokens before attention: (B, H, S, D), (B, 1, S, D) twice, and what gates its result."""

    q: Tensor
    k: Tensor
    v: Tensor
    gate: Tensor | None


class Layer(nn.Module):
    """One block of one expert; an adaptive one's norms are told what time it is."""

    def __init__(self, size: Gemma, adaptive: bool = False) -> None:
        super().__init__()
        norm = AdaptiveRMSNorm if adaptive else RMSNorm
        self.self_attn, self.mlp = _Attention(size), _Mlp(size)
        self.input_layernorm, self.post_attention_layernorm = norm(size.width), norm(size.width)

    def project(self, x: Tensor, when: Tensor | None = None) -> Projected:
        """Queries, keys and values of its tokens (B, S, W)."""
        normed, gate = self.input_layernorm(x, when)
        return Projected(*self.self_attn.project(normed), gate)

    def finish(self, x: Tensor, mixed: Tensor, gate: Tensor | None, when: Tensor | None = None) -> Tensor:
        """(B, S, W) after what attention found (B, S, H * D)."""
        x = _added(x, self.self_attn.o_proj(mixed), gate)
        normed, gate = self.post_attention_layernorm(x, when)
        return _added(x, self.mlp(normed), gate)


class Decoder(nn.Module):
    """One expert's layers; `vocabulary` gives it an embedding of tokens."""

    def __init__(self, size: Gemma, vocabulary: int | None = None, adaptive: bool = False) -> None:
        super().__init__()
        if vocabulary is not None:
            self.embed_tokens = nn.Embedding(vocabulary, size.width)
        self.layers = nn.ModuleList(Layer(size, adaptive) for _ in range(size.depth))
        self.norm = (AdaptiveRMSNorm if adaptive else RMSNorm)(size.width)
        self.size = size


class Cache(NamedTuple):
    """Keys and values (B, 1, S, D) of tokens that were seen, one pair a layer."""

    keys: list[Tensor]
    values: list[Tensor]


class Rope(NamedTuple):
    """Rotary positions: cosines and sines (B, 1, S, D / 2)."""

    cos: Tensor
    sin: Tensor


def rope(positions: Tensor, head_dim: int) -> Rope:
    """Of integer positions (B, S), in float32."""
    powers = torch.arange(0, head_dim, 2, dtype=torch.int64, device=positions.device).float() / head_dim
    angles = positions[:, None, :, None].float() / THETA**powers
    return Rope(angles.cos(), angles.sin())


def rotate(x: Tensor, by: Rope) -> Tensor:
    """Vectors (B, H, S, D) turned by their positions; the first half pairs with the second."""
    first, second = x.chunk(2, dim=-1)
    cos, sin = by.cos.to(x.dtype), by.sin.to(x.dtype)
    return torch.cat([first * cos - second * sin, second * cos + first * sin], dim=-1)


def additive(visible: Tensor, dtype: torch.dtype) -> Tensor:
    """A mask (B, 1, Q, K) to be added, of who sees whom (B, Q, K) bool."""
    return torch.where(visible, 0.0, MASKED)[:, None].to(dtype)


def attend(q: Tensor, k: Tensor, v: Tensor, mask: Tensor) -> Tensor:
    """(B, Q, H * D); the one head of keys and values serves every head of queries."""
    heads = q.shape[1]
    k, v = (each.expand(-1, heads, -1, -1) if each.shape[1] == 1 else each for each in (k, v))
    return F.scaled_dot_product_attention(q, k, v, attn_mask=mask).transpose(1, 2).flatten(2)


def together(
    experts: Sequence[Decoder],
    tokens: Sequence[Tensor],
    positions: Tensor,
    visible: Tensor,
    seen: Cache | None = None,
    recompute: bool = False,
    when: Tensor | None = None,
) -> list[Tensor]:
    """Each expert's tokens after all layers and its last norm.

    Args:
        experts: of the same depth and the same heads.
        tokens: (B, S_i, W_i) for each of them.
        positions: (B, sum of S_i).
        visible: (B, sum of S_i, seen + sum of S_i), who sees whom.
        seen: keys and values of earlier tokens.
        recompute: compute each layer again in the backward pass instead of keeping it.
        when: (B, 1, W) or (B, S, W) of the last expert, what its norms are told; the others' are told nothing.
    """
    told = [*[None] * (len(experts) - 1), when]
    turn, mask = rope(positions, experts[0].size.head_dim), additive(visible, tokens[-1].dtype)
    hidden = list(tokens)
    for index in range(experts[0].size.depth):
        layers = [cast(Layer, expert.layers[index]) for expert in experts]
        past = None if seen is None else (seen.keys[index], seen.values[index])
        if recompute and torch.is_grad_enabled():
            hidden = checkpoint(_block, layers, hidden, turn, mask, past, told, use_reentrant=False)
        else:
            hidden = _block(layers, hidden, turn, mask, past, told)
    return [expert.norm(x, each)[0] for expert, x, each in zip(experts, hidden, told, strict=True)]


def _block(
    layers: Sequence[Layer],
    hidden: Sequence[Tensor],
    turn: Rope,
    mask: Tensor,
    past: tuple[Tensor, Tensor] | None,
    told: Sequence[Tensor | None],
) -> list[Tensor]:
    parts = [layer.project(x, when) for layer, x, when in zip(layers, hidden, told, strict=True)]
    q, k, v = (torch.cat(each, dim=2) for each in zip(*(part[:3] for part in parts), strict=True))
    q, k = rotate(q, turn), rotate(k, turn)
    if past is not None:
        k, v = torch.cat([past[0], k], dim=2), torch.cat([past[1], v], dim=2)
    mixed = torch.split(attend(q, k, v, mask), [x.shape[1] for x in hidden], dim=1)
    rows = zip(layers, hidden, mixed, parts, told, strict=True)
    return [layer.finish(x, found, part.gate, when) for layer, x, found, part, when in rows]


def remember(expert: Decoder, tokens: Tensor, positions: Tensor, visible: Tensor) -> Cache:
    """Keys and values of tokens (B, S, W) that later ones may look at; what the last layer makes of them is not needed."""
    turn, mask = rope(positions, expert.size.head_dim), additive(visible, tokens.dtype)
    cache, x = Cache([], []), tokens
    for index, layer in enumerate(expert.layers):
        assert isinstance(layer, Layer)
        q, k, v, gate = layer.project(x)
        k = rotate(k, turn)
        cache.keys.append(k)
        cache.values.append(v)
        if index + 1 < expert.size.depth:
            x = layer.finish(x, attend(rotate(q, turn), k, v, mask), gate)
    return cache
