"""Where a run stands in its data: saved with every checkpoint, and all that is needed to go on at the same sample."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any, Self

import numpy as np

from .order import Order, Places, make_order


@dataclass(frozen=True, kw_only=True)
class Cursor:
    """The next sample.

    Samples are one endless stream, epoch after epoch. A step takes the next `batch size x processes` of it, process r
    the r-th piece: no padding, no short batch, and a change of batch or world size moves nothing.

    Attributes:
        seed: of the order.
        shuffle: kind of order.
        frames: samples in an epoch.
        epoch: current one, from 0.
        consumed: samples of this epoch that were trained on.
        fingerprint: of the dataset and the choice of its episodes.
    """

    seed: int
    shuffle: str
    frames: int
    fingerprint: str
    epoch: int = 0
    consumed: int = 0

    @property
    def total(self) -> int:
        """Samples since the beginning."""
        return self.epoch * self.frames + self.consumed

    def advanced(self, samples: int) -> Self:
        """So many samples later."""
        epochs, consumed = divmod(self.consumed + samples, self.frames)
        return replace(self, epoch=self.epoch + epochs, consumed=consumed)

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """From plain data."""
        return cls(**data)


class Stream:
    """Samples from a cursor on, without end; holds the orders of two epochs at most."""

    def __init__(self, cursor: Cursor) -> None:
        self._cursor = cursor
        self._orders: dict[int, Order] = {}

    def at(self, first: int, count: int) -> Places:
        """The samples at `count` places of the stream from its place `first` on."""
        places = np.arange(first, first + count)
        epochs, inside = np.divmod(places, self._cursor.frames)
        found = np.empty_like(places)
        for epoch in np.unique(epochs).tolist():
            found[epochs == epoch] = self._order(epoch)(inside[epochs == epoch])
        return found

    def _order(self, epoch: int) -> Order:
        if epoch not in self._orders:
            for old in [each for each in self._orders if each < epoch - 1]:
                del self._orders[old]
            self._orders[epoch] = make_order(self._cursor.shuffle, self._cursor.frames, self._cursor.seed, epoch)
        return self._orders[epoch]


class Batches:
    """A torch batch sampler: this process's share of each step, as (place in the stream, sample).

    Args:
        cursor: where to begin.
        size: samples a batch and process.
        rank, world: this process, and how many there are.
    """

    def __init__(self, cursor: Cursor, size: int, rank: int = 0, world: int = 1) -> None:
        self._cursor, self._size, self._rank, self._world = cursor, size, rank, world

    def __iter__(self) -> Iterator[list[tuple[int, int]]]:
        stream = Stream(self._cursor)
        first = self._cursor.total + self._rank * self._size
        while True:
            samples = stream.at(first, self._size)
            yield [(first + offset, int(sample)) for offset, sample in enumerate(samples)]
            first += self._size * self._world
