"""Checkpoints from before processors had files of their own: statistics lie among the tensors."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from torch import Tensor

_BUFFERS = ("normalize_inputs.buffer_", "normalize_targets.buffer_", "unnormalize_outputs.buffer_")


def split_statistics(
    tensors: Mapping[str, Tensor], features: Iterable[str]
) -> tuple[dict[str, Tensor], dict[str, dict[str, Tensor]]]:
    """Network tensors, and statistics by feature; the latter are empty in a checkpoint of today.

    Buffers are named after features with `_` for `.`; one that belongs to no feature stays among the tensors, where it
    is unknown.
    """
    keys = {key.replace(".", "_"): key for key in features}
    left: dict[str, Tensor] = {}
    stats: dict[str, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        prefix = next((prefix for prefix in _BUFFERS if name.startswith(prefix)), "")
        key, _, stat = name.removeprefix(prefix).partition(".")
        if prefix and key in keys:
            stats.setdefault(keys[key], {})[stat] = tensor
        else:
            left[name] = tensor
    return left, stats
