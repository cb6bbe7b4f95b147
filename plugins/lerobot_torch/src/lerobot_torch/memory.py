"""Memory that a training loop frees and wants back at once."""

from __future__ import annotations

import ctypes
from functools import cache

# malloc.h of glibc: M_TRIM_THRESHOLD, M_MMAP_THRESHOLD.
_TRIM, _MMAP = -1, -3
_LARGE, _ALLOWED = 1 << 30, 32 << 20
"""glibc before 2.35 refuses thresholds for mmap above 32 MiB."""


@cache
def keep_freed_memory() -> bool:
    """Tell the allocator to keep what is freed, for this process and for good; False where it cannot be told.

    Every training step on a CPU allocates the same hundreds of MB. Given back to the system and taken again, each page
    costs a fault: 100,000 a step of ACT, a sixth of its time. What is used at most does not change.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return False  # another C library: macOS, musl, Windows
    mapped = mallopt(_MMAP, _LARGE) or mallopt(_MMAP, _ALLOWED)
    return bool(mapped and mallopt(_TRIM, 2**31 - 1))
