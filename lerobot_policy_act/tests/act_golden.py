"""The peer's checkpoints and what it computed with them; see the README in the golden folder."""

from __future__ import annotations

import json
import shutil
import zlib
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

GOLDEN = Path(__file__).parents[2] / "tests" / "golden" / "policies"
NAMES = ("act_vae", "act_no_vae_ensemble")
EXTRA = ("tensors.json", "io.safetensors", "expected.json")


def weights(name: str) -> dict[str, Tensor]:
    """What the peer's tensors were."""
    shapes = json.loads((GOLDEN / name / "tensors.json").read_text())
    return {key: _tensor(key, shape) for key, (_, shape) in shapes.items()}


def _tensor(key: str, shape: list[int]) -> Tensor:
    random = np.random.default_rng(zlib.crc32(key.encode()))
    values = random.standard_normal(shape).astype(np.float32) * np.float32(0.05)
    if key.endswith("running_var") or (key.endswith("weight") and len(shape) == 1):
        values = np.abs(values) + 1
    return torch.from_numpy(np.asarray(values, np.float32))


def write_checkpoint(name: str, target: Path) -> Path:
    """A folder that holds what the peer wrote and nothing else."""
    shutil.copytree(GOLDEN / name, target, ignore=shutil.ignore_patterns(*EXTRA))
    save_file(weights(name), target / "model.safetensors", {"format": "pt"})
    return target


def golden_io(name: str) -> dict[str, Tensor]:
    """What went in and what came out."""
    return load_file(GOLDEN / name / "io.safetensors")


def golden_inputs(name: str, tick: int) -> dict[str, Tensor]:
    """One observation, not batched."""
    prefix = f"in.{tick}."
    return {key.removeprefix(prefix): value for key, value in golden_io(name).items() if key.startswith(prefix)}
