"""The torch base of policies: checkpoints, processors and the adapter to the policy contract.

Importing it imports no torch; naming what it offers does.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .checkpoint import create, load
    from .config import TorchPolicyConfig
    from .names import Names, find_names
    from .numpy_policy import NumpyPolicy, open_policy
    from .policy import TorchPolicy

__all__ = [
    "Names",
    "NumpyPolicy",
    "TorchPolicy",
    "TorchPolicyConfig",
    "create",
    "find_names",
    "load",
    "open_policy",
]

_HOMES = {
    "Names": "names",
    "NumpyPolicy": "numpy_policy",
    "TorchPolicy": "policy",
    "TorchPolicyConfig": "config",
    "create": "checkpoint",
    "find_names": "names",
    "load": "checkpoint",
    "open_policy": "numpy_policy",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
