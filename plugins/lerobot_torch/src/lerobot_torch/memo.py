"""Values that follow from parameters, computed once while nothing learns."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Generic, TypeVar

import torch
from torch import Tensor

T = TypeVar("T")


class Memo(Generic[T]):
    """Keeps what was computed until one of the tensors it was computed from changes."""

    def __init__(self) -> None:
        self._key: object = None
        self._value: T | None = None

    def __call__(self, compute: Callable[[], T], sources: Sequence[Tensor], also: Hashable = None) -> T:
        """`compute()`; kept unless gradients are wanted, because those lead through the computation.

        Args:
            compute: makes the value from `sources`.
            sources: every tensor it depends on; an in-place change counts itself, a move changes the address.
            also: what else it depends on.
        """
        if torch.is_grad_enabled() or torch.compiler.is_compiling():
            self._key = self._value = None
            return compute()
        key = also, tuple((source.data_ptr(), source._version) for source in sources)
        if self._value is None or key != self._key:
            self._key, self._value = key, compute()
        return self._value
