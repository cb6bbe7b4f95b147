"""How large each variant is; what a checkpoint's `config.json` does not say follows from its names."""

from __future__ import annotations

from typing import NamedTuple


class Gemma(NamedTuple):
    """A transformer with rotary positions, one head of keys and values, and gated feed-forward layers."""

    width: int
    depth: int
    mlp: int
    heads: int = 8
    kv_heads: int = 1
    head_dim: int = 256


class Siglip(NamedTuple):
    """A vision transformer."""

    width: int = 1152
    depth: int = 27
    mlp: int = 4304
    heads: int = 16
    patch: int = 14


class Vlm(NamedTuple):
    """Vision, language, and how many tokens the language has."""

    text: Gemma
    vision: Siglip
    vocabulary: int = 257152


GEMMAS: dict[str, Gemma] = {
    "gemma_2b": Gemma(2048, 18, 16384),
    "gemma_300m": Gemma(1024, 18, 4096),
    "gemma_tiny": Gemma(32, 2, 64, head_dim=8),
    "gemma_tiny_expert": Gemma(24, 2, 48, head_dim=8),
    "gemma_small": Gemma(96, 3, 256, head_dim=16),
    "gemma_small_expert": Gemma(64, 3, 192, head_dim=16),
}
"""The first two are the field's; the others are ours: tiny for tests, small for training without a GPU."""

VLMS: dict[str, Vlm] = {
    "gemma_2b": Vlm(GEMMAS["gemma_2b"], Siglip()),
    "gemma_tiny": Vlm(GEMMAS["gemma_tiny"], Siglip(32, 2, 64, 4), 1024),
    "gemma_small": Vlm(GEMMAS["gemma_small"], Siglip(96, 2, 256, 4), 1024),
}
EXPERTS = ("gemma_300m", "gemma_2b", "gemma_tiny_expert", "gemma_small_expert")
