"""Arrays as raw little-endian bytes with a type and a shape."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import msgspec

from .errors import WireError

if TYPE_CHECKING:
    from numpy.typing import NDArray

DTYPES = ("<f4", "<f8", "|u1")
"""What an array may hold; nothing that numpy would have to interpret."""
RANKS = 4


class Tensor(msgspec.Struct):
    """One array."""

    dtype: str
    shape: list[int]
    data: bytes


def pack(array: NDArray[Any]) -> Tensor:
    """An array of one of `DTYPES`, in C order.

    Raises:
        WireError: of another type.
    """
    import numpy as np

    little = array.dtype.newbyteorder("<").str
    if little not in DTYPES:
        raise WireError("tensor type", str(array.dtype))
    return Tensor(little, list(array.shape), np.ascontiguousarray(array, dtype=little).tobytes())


def unpack(tensor: Tensor, rank: int | None = None) -> NDArray[Any]:
    """The array, read-only, on the message's own bytes; of `rank` dimensions, 1 to `RANKS` when that is open.

    Raises:
        WireError: the type is not allowed, or shape, rank and size disagree.
    """
    import numpy as np

    if tensor.dtype not in DTYPES:
        raise WireError("tensor type", tensor.dtype[:16])
    fits = len(tensor.shape) == rank if rank is not None else 1 <= len(tensor.shape) <= RANKS
    if not fits or any(length < 0 for length in tensor.shape):
        raise WireError("tensor shape", str(tensor.shape[:8]))
    if math.prod(tensor.shape) * np.dtype(tensor.dtype).itemsize != len(tensor.data):
        raise WireError("tensor size", f"{tensor.shape} in {len(tensor.data)} bytes")
    return np.frombuffer(tensor.data, tensor.dtype).reshape(tensor.shape)
