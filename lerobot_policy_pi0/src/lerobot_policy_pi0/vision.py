"""The vision tower: SigLIP's vision transformer (arXiv 2303.15343) without its pooling head."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from .sizes import Siglip

EPS = 1e-6


class _Embeddings(nn.Module):
    def __init__(self, size: Siglip, patches: int) -> None:
        super().__init__()
        self.patch_embedding = nn.Conv2d(3, size.width, size.patch, size.patch)
        self.position_embedding = nn.Embedding(patches, size.width)

    def forward(self, images: Tensor) -> Tensor:
        patches: Tensor = self.patch_embedding(images)
        return patches.flatten(2).transpose(1, 2) + self.position_embedding.weight


class _Attention(nn.Module):
    def __init__(self, size: Siglip) -> None:
        super().__init__()
        self.heads = size.heads
        self.q_proj, self.k_proj, self.v_proj, self.out_proj = (nn.Linear(size.width, size.width) for _ in range(4))

    def forward(self, x: Tensor) -> Tensor:
        q, k, v = (
            each(x).unflatten(-1, (self.heads, -1)).transpose(1, 2) for each in (self.q_proj, self.k_proj, self.v_proj)
        )
        mixed = F.scaled_dot_product_attention(q, k, v)
        out: Tensor = self.out_proj(mixed.transpose(1, 2).flatten(2))
        return out


class _Mlp(nn.Module):
    def __init__(self, size: Siglip) -> None:
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(size.width, size.mlp), nn.Linear(size.mlp, size.width)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.fc2(F.gelu(self.fc1(x), approximate="tanh"))
        return out


class _Layer(nn.Module):
    def __init__(self, size: Siglip) -> None:
        super().__init__()
        self.layer_norm1, self.layer_norm2 = (nn.LayerNorm(size.width, EPS) for _ in range(2))
        self.self_attn, self.mlp = _Attention(size), _Mlp(size)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.self_attn(self.layer_norm1(x))
        return x + self.mlp(self.layer_norm2(x))  # type: ignore[no-any-return]


class _Encoder(nn.Module):
    def __init__(self, size: Siglip) -> None:
        super().__init__()
        self.layers = nn.ModuleList(_Layer(size) for _ in range(size.depth))


class _VisionModel(nn.Module):
    def __init__(self, size: Siglip, resolution: int) -> None:
        super().__init__()
        self.embeddings = _Embeddings(size, (resolution // size.patch) ** 2)
        self.encoder = _Encoder(size)
        self.post_layernorm = nn.LayerNorm(size.width, EPS)


class VisionTower(nn.Module):
    """Images (B, 3, R, R) in -1..1 -> patches (B, N, W).

    Args:
        size: how large.
        resolution: R.

    Attributes:
        recompute: while training, compute each layer again in the backward pass instead of keeping it.
    """

    recompute = False

    def __init__(self, size: Siglip, resolution: int) -> None:
        super().__init__()
        self.vision_model = _VisionModel(size, resolution)

    def forward(self, images: Tensor) -> Tensor:
        """One row a patch, left to right and top to bottom."""
        model = self.vision_model
        x: Tensor = model.embeddings(images)
        for layer in model.encoder.layers:
            if self.recompute and self.training and torch.is_grad_enabled():
                x = checkpoint(layer, x, use_reentrant=False)
            else:
                x = layer(x)
        out: Tensor = model.post_layernorm(x)
        return out
