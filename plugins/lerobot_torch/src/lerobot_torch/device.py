"""Where a network runs, and in which precision."""

from __future__ import annotations

import torch
from lerobot_core.errors import ConfigError


def choose_device(wanted: str | None = None) -> torch.device:
    """The device called `wanted`, else the fastest there is: CUDA, Metal, the CPU.

    Raises:
        ConfigError: there is no such device here.
    """
    if wanted is None:
        return torch.device(next((name for name in ("cuda", "mps") if _count(name)), "cpu"))
    try:
        device = torch.device(wanted)
    except RuntimeError as error:
        raise ConfigError(
            f"there is no device {wanted!r}", str(error).split("\n")[0], "cpu, cuda, cuda:1, mps"
        ) from error
    if (device.index or 0) >= _count(device.type):
        raise ConfigError(f"there is no device {wanted!r} here", f"{device.type} devices: {_count(device.type)}",
                          "--policy.device cpu, or leave it out")  # fmt: skip
    return device


def _count(kind: str) -> int:
    if kind == "cuda":
        return torch.cuda.device_count() if torch.cuda.is_available() else 0
    if kind == "mps":
        return int(torch.backends.mps.is_available())
    return int(kind == "cpu")


def autocast(device: torch.device, enabled: bool) -> torch.autocast:
    """Half precision where it is safe: bfloat16, and float16 on graphics processors without it."""
    narrow = device.type == "mps" or (device.type == "cuda" and not torch.cuda.is_bf16_supported())
    return torch.autocast(device.type, torch.float16 if narrow else torch.bfloat16, enabled=enabled)
