"""Which sample comes when: a pure function of the seed, the epoch and the place in it.

`Randperm` is uniform over all orders and holds 8 bytes a sample. `Feistel` holds nothing: a four-round Feistel network
over the smallest even split of the bits that number the samples, walked until it lands inside (a permutation of the
larger domain that begins inside comes back inside, so that the walk ends). Both are vectorised.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Places = NDArray[np.int64]


class Order(Protocol):
    """The order of one epoch."""

    def __call__(self, places: Places) -> Places:
        """Samples at these places, both 0..n-1."""
        ...


def make_order(kind: str, n: int, seed: int, epoch: int) -> Order:
    """The order of `n` samples in `epoch`; `kind` is one of `randperm`, `feistel`, `none`."""
    if kind == "feistel":
        return Feistel(n, seed, epoch)
    return Randperm(n, seed, epoch) if kind == "randperm" else _as_is


def _as_is(places: Places) -> Places:
    return places


class Randperm:
    """torch's random permutation, seeded by the first 64 bits of numpy's SeedSequence([seed, epoch])."""

    def __init__(self, n: int, seed: int, epoch: int) -> None:
        import torch

        state = int(np.random.SeedSequence([seed, epoch]).generate_state(1, np.uint64)[0])
        generator = torch.Generator().manual_seed(state)
        self._order: Places = torch.randperm(n, generator=generator).numpy()

    def __call__(self, places: Places) -> Places:
        """See `Order`."""
        return self._order[places]


_GOLDEN = 0x9E3779B97F4A7C15
_ALL = (1 << 64) - 1
_ROUNDS = 4


def mix(x: int) -> int:
    """SplitMix64's step: 64 bits in, 64 well mixed ones out (Steele, Lea, Flood 2014)."""
    x = (x + _GOLDEN) & _ALL
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & _ALL
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & _ALL
    return x ^ (x >> 31)


def mix_all(x: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """`mix` of each."""
    x = x + np.uint64(_GOLDEN)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


class Feistel:
    """See the module."""

    def __init__(self, n: int, seed: int, epoch: int) -> None:
        self._n = np.uint64(n)
        bits = max((n - 1).bit_length(), 2)
        self._half = np.uint64((bits + 1) // 2)
        self._mask = np.uint64((1 << int(self._half)) - 1)
        state, self._keys = mix(mix(seed) ^ mix(epoch)), list[np.uint64]()
        for _ in range(_ROUNDS):
            state = mix(state)
            self._keys.append(np.uint64(state))

    def __call__(self, places: Places) -> Places:
        """See `Order`."""
        found = self._once(places.astype(np.uint64))
        outside = np.flatnonzero(found >= self._n)
        while len(outside):
            found[outside] = self._once(found[outside])
            outside = outside[found[outside] >= self._n]
        return found.astype(np.int64)

    def _once(self, x: NDArray[np.uint64]) -> NDArray[np.uint64]:
        left, right = x >> self._half, x & self._mask
        for key in self._keys:
            left, right = right, left ^ (mix_all(right ^ key) & self._mask)
        return (left << self._half) | right
