"""Encoder and decoder of ACT: positions are added to queries and keys at every layer, as in DETR (arXiv 2005.12872).

Sequences are (B, S, D); positions (S, D), or (B, S, D) where they differ in a batch. Tensors are named as in
`torch.nn.MultiheadAttention`, because checkpoints are.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from lerobot_torch.kernels import Linear, linear, linear_relu, relu_dropout
from lerobot_torch.memo import Memo
from torch import Tensor, nn
from torch.nn import functional

from .config import ACTConfig


class Attention(nn.Module):
    """Multi-head attention; queries, keys and values share one projection matrix."""

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads, self.dropout = heads, dropout
        self.in_proj_weight = nn.Parameter(torch.empty(3 * width, width))
        self.in_proj_bias = nn.Parameter(torch.zeros(3 * width))
        self.out_proj = Linear(width, width)
        nn.init.xavier_uniform_(self.in_proj_weight)
        nn.init.zeros_(self.out_proj.bias)

    def itself(self, x: Tensor, positions: Tensor, padding: Tensor | None = None) -> Tensor:
        """A sequence attends to itself; `padding` (B, S) is True where there is nothing."""
        width = x.shape[-1]
        weights, biases = self._pieces(2 * width, width)
        query, key = linear(x + positions, weights[0], biases[0]).chunk(2, dim=-1)
        return self._attend(query, key, linear(x, weights[1], biases[1]), padding)

    def other(self, x: Tensor, positions: Tensor, memory: Tensor, memory_positions: Tensor) -> Tensor:
        """A sequence attends to another one, `memory`."""
        width = x.shape[-1]
        weights, biases = self._pieces(width, width, width)
        query = linear(x + positions, weights[0], biases[0])
        key = linear(memory + memory_positions, weights[1], biases[1])
        return self._attend(query, key, linear(memory, weights[2], biases[2]), None)

    def _pieces(self, *rows: int) -> tuple[Sequence[Tensor], Sequence[Tensor]]:
        return torch.split(self.in_proj_weight, list(rows)), torch.split(self.in_proj_bias, list(rows))

    def _attend(self, query: Tensor, key: Tensor, value: Tensor, padding: Tensor | None) -> Tensor:
        mask = None if padding is None else ~padding[:, None, None, :]
        dropout = self.dropout if self.training else 0.0
        heads = functional.scaled_dot_product_attention(
            self._split(query), self._split(key), self._split(value), mask, dropout
        )
        joined: Tensor = self.out_proj(heads.transpose(1, 2).flatten(2))
        return joined

    def _split(self, x: Tensor) -> Tensor:
        """(B, S, D) -> (B, heads, S, D / heads)."""
        return x.reshape(*x.shape[:-1], self.heads, -1).transpose(1, 2)


class FeedForward(nn.Module):
    """What encoder and decoder layers share: two linear layers, and dropout."""

    def __init__(self, config: ACTConfig) -> None:
        super().__init__()
        self.linear1 = Linear(config.dim_model, config.dim_feedforward)
        self.linear2 = Linear(config.dim_feedforward, config.dim_model)
        self.rate, self.pre_norm = config.dropout, config.pre_norm
        self.relu = config.feedforward_activation == "relu"

    def drop(self, x: Tensor) -> Tensor:
        """Dropout while training."""
        return functional.dropout(x, self.rate, self.training) if self.training else x

    def feed(self, x: Tensor) -> Tensor:
        """(B, S, D) -> (B, S, D)."""
        if not self.relu:
            inner = self.drop(functional.gelu(self.linear1(x)))
        elif self.training:
            inner = relu_dropout(self.linear1(x), self.rate)
        else:
            inner = linear_relu(x, self.linear1.weight, self.linear1.bias)
        outer: Tensor = self.linear2(inner)
        return outer


class EncoderLayer(FeedForward):
    """Self-attention, then the feed-forward layers, each around a shortcut."""

    def __init__(self, config: ACTConfig) -> None:
        super().__init__(config)
        self.self_attn = Attention(config.dim_model, config.n_heads, config.dropout)
        self.norm1, self.norm2 = nn.LayerNorm(config.dim_model), nn.LayerNorm(config.dim_model)

    def forward(self, x: Tensor, positions: Tensor, padding: Tensor | None) -> Tensor:
        """(B, S, D) -> (B, S, D)."""
        if self.pre_norm:
            x = x + self.drop(self.self_attn.itself(self.norm1(x), positions, padding))
            return x + self.drop(self.feed(self.norm2(x)))
        x = self.norm1(x + self.drop(self.self_attn.itself(x, positions, padding)))
        x = self.norm2(x + self.drop(self.feed(x)))
        return x


class DecoderLayer(FeedForward):
    """Self-attention, attention to what was encoded, then the feed-forward layers, each around a shortcut."""

    def __init__(self, config: ACTConfig) -> None:
        super().__init__(config)
        self.self_attn = Attention(config.dim_model, config.n_heads, config.dropout)
        self.multihead_attn = Attention(config.dim_model, config.n_heads, config.dropout)
        self.norm1, self.norm2 = nn.LayerNorm(config.dim_model), nn.LayerNorm(config.dim_model)
        self.norm3 = nn.LayerNorm(config.dim_model)

    def within(self, x: Tensor, positions: Tensor) -> Tensor:
        """The first third, which sees no observation: (B, T, D), (T, D) -> (B, T, D)."""
        if self.pre_norm:
            return x + self.drop(self.self_attn.itself(self.norm1(x), positions))
        return self.norm1(x + self.drop(self.self_attn.itself(x, positions)))  # type: ignore[no-any-return]

    def beyond(self, x: Tensor, positions: Tensor, memory: Tensor, memory_positions: Tensor) -> Tensor:
        """The rest: (B, T, D), (T, D), (B, S, D), (S, D) -> (B, T, D)."""
        if self.pre_norm:
            x = x + self.drop(self.multihead_attn.other(self.norm2(x), positions, memory, memory_positions))
            return x + self.drop(self.feed(self.norm3(x)))
        x = self.norm2(x + self.drop(self.multihead_attn.other(x, positions, memory, memory_positions)))
        x = self.norm3(x + self.drop(self.feed(x)))
        return x


class Encoder(nn.Module):
    """`layers` encoder layers; a norm at the end when they normalise before and not after."""

    def __init__(self, config: ACTConfig, layers: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(EncoderLayer(config) for _ in range(layers))
        self.norm = nn.LayerNorm(config.dim_model) if config.pre_norm else nn.Identity()

    def forward(self, x: Tensor, positions: Tensor, padding: Tensor | None = None) -> Tensor:
        """(B, S, D) -> (B, S, D)."""
        for layer in self.layers:
            x = layer(x, positions, padding)
        normed: Tensor = self.norm(x)
        return normed


class Decoder(nn.Module):
    """The decoder layers, always with a norm at the end; their input is zero, the queries are positions."""

    def __init__(self, config: ACTConfig) -> None:
        super().__init__()
        self.layers = nn.ModuleList(DecoderLayer(config) for _ in range(config.n_decoder_layers))
        self.norm = nn.LayerNorm(config.dim_model)
        self._memo: Memo[Tensor] = Memo()

    def forward(self, queries: Tensor, memory: Tensor, memory_positions: Tensor) -> Tensor:
        """(T, D), (B, S, D), (S, D) -> (B, T, D)."""
        first, *others = (layer for layer in self.layers if isinstance(layer, DecoderLayer))
        x = first.beyond(self._start(first, queries, memory), queries, memory, memory_positions)
        for layer in others:
            x = layer.beyond(layer.within(x, queries), queries, memory, memory_positions)
        normed: Tensor = self.norm(x)
        return normed

    def _start(self, first: DecoderLayer, queries: Tensor, memory: Tensor) -> Tensor:
        """What the first layer makes of nothing, (B, T, D); the same every time but for dropout."""
        count = memory.shape[0]
        if self.training:
            return first.within(memory.new_zeros(count, *queries.shape), queries)
        sources = (queries, *first.self_attn.parameters(), *first.norm1.parameters())
        start = self._memo(lambda: first.within(queries.new_zeros(1, *queries.shape), queries), sources)
        return start.expand(count, -1, -1)
