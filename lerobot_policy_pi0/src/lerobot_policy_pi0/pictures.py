"""Pictures as the vision tower takes them."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def fitted(images: Tensor, side: int) -> Tensor:
    """Images (B, 3, H, W) in 0..1 -> (B, 3, side, side) in -1..1: as large as they fit, centred, black around."""
    images = images.to(torch.float32)
    height, row = images.shape[-2:]
    if (height, row) != (side, side):
        ratio = max(height, row) / side
        inner = (int(height / ratio), int(row / ratio))
        images = F.interpolate(images, inner, mode="bilinear", align_corners=False).clamp(0.0, 1.0)
        (top, below), (left, right) = (_margins(side - length) for length in inner)
        images = F.pad(images, (left, right, top, below))
    return images * 2.0 - 1.0


def _margins(missing: int) -> tuple[int, int]:
    return missing // 2, missing - missing // 2
