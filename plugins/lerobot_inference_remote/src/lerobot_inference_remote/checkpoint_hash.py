"""A fingerprint of what a policy was made from, the same on every machine that has the same files."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lerobot_core.config.bases import Chosen

_SUFFIXES = (".json", ".safetensors")
_ABOUT_TRAINING = ("train_config.json",)
_BLOCK = 1 << 20


def fingerprint(chosen: Chosen) -> str:
    """`sha256:…` of a checkpoint folder's configuration, processors and weights; of the options for a policy without.

    How it was trained and where it runs (device, compile) do not count.
    """
    path = getattr(chosen.config, "path", None)
    if path and Path(path).is_dir():
        return folder_hash(Path(path))
    from lerobot_core.config.show import as_data

    options = json.dumps({"type": chosen.name, **as_data(chosen.config, mask=True)}, sort_keys=True, default=str)
    return "sha256:" + hashlib.sha256(options.encode()).hexdigest()


def folder_hash(folder: Path) -> str:
    """Names and contents of its JSON and safetensors files."""
    total = hashlib.sha256()
    for path in sorted(folder.iterdir()):
        if path.suffix in _SUFFIXES and path.name not in _ABOUT_TRAINING:
            total.update(path.name.encode() + b"\0" + _digest(path))
    return "sha256:" + total.hexdigest()


def _digest(path: Path) -> bytes:
    found = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            found.update(block)
    return found.digest()
